"""The form in which changes are answered."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from app.core.runs.views import View, one_of

KINDS = ("changed", "first answer", "gene")

STATES = ("found", "absent", "unknown")


class FieldDifference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What changed in one field, as it is encoded. :class:`FieldChangeView` documents it."""

    field: str
    change: Literal["altered", "added", "removed"]
    element: str | dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    part: str | msgspec.UnsetType = msgspec.UNSET
    from_: Any = msgspec.field(name="from", default=msgspec.UNSET)
    to: Any = msgspec.UNSET


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change, as it is encoded. :class:`ChangeView` documents it."""

    hgnc_id: str
    symbol: str
    source: str | None
    kind: str
    at: datetime
    run_id: int | None
    rollback_id: int | None
    state_before: str | None
    state: str | None
    release_before: str | None
    release: str | None
    event: str | None
    detail: dict[str, Any] | None
    fields: list[FieldDifference]
    text: str


class FieldChangeView(View):
    """What changed in one field of an answer."""

    field: str
    """The name of the field, with its source: `clinvar.germline.pathogenic`."""
    change: Annotated[str, one_of(("altered", "added", "removed"))]
    """`altered`: the value is another one. `added` and `removed`: an element of a list, or a key of
    a map, which are compared as sets."""
    element: str | dict[str, Any] | None = None
    """The key of the map, or what tells the element of the list from the others, by the names of
    its fields. It is left out for a value, and in a list whose elements nothing identifies."""
    part: str | None = None
    """The part of the element that changed, for an altered element; otherwise left out."""
    from_: Any = Field(None, alias="from")
    """The former value or element; left out if there was none."""
    to: Any = None
    """The present value or element; left out if there is none."""


class ChangeView(View):
    """An answer that changed, or what happened to a gene."""

    hgnc_id: str
    """With its prefix: `HGNC:9008`."""
    symbol: str
    """The symbol that the gene had at the later time."""
    source: str | None
    """Whose answer changed; null for what happened to the gene itself."""
    kind: Annotated[str, one_of(KINDS)]
    """`changed`: the answer is another one. `first answer`: there was none before. `gene`: it
    happened to the gene itself, such as a new symbol."""
    at: datetime
    """Since when the answer is what it is, or when the event was noticed."""
    run_id: int | None
    """The run that brought the answer; null: a rollback did, or it is not known."""
    rollback_id: int | None
    """The rollback that restored the answer."""
    state_before: Annotated[str | None, one_of(STATES)]
    """Null for a first answer, and for an event."""
    state: Annotated[str | None, one_of(STATES)]
    """Null for an event."""
    release_before: str | None
    """The last release of the source that gave the former answer."""
    release: str | None
    """The release of the source that brought the answer."""
    event: str | None
    """What happened to the gene: `renamed`, `merged`, `withdrawn`, `imported`, ..."""
    detail: dict[str, Any] | None
    """Of an event: `from` and `to`, or `into` with the HGNC ids of other genes."""
    fields: list[FieldChangeView]
    """What differs. It is empty for a first answer, which has nothing to differ from."""
    text: str
    """The change in words. Long lists are cut; `fields` has all of it."""


class ChangePage(View):
    """A page of changes, in the order of the genes' import and of the names of the sources."""

    changes: list[ChangeView]
    next_after: str | None
    """The parameter `after` of the next page; null when there is none."""
