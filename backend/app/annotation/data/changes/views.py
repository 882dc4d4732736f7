"""The shapes of answers about changes."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from app.core.text.field_docs import View, one_of

KINDS = ("changed", "first answer", "gene")

STATES = ("found", "absent", "unknown")


class FieldDifference(msgspec.Struct, frozen=True, omit_defaults=True):
    """One changed field, as it is encoded. :class:`FieldChangeView` documents it."""

    field: str
    change: Literal["altered", "added", "removed"]
    element: str | dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    part: str | msgspec.UnsetType = msgspec.UNSET
    from_: Any = msgspec.field(name="from", default=msgspec.UNSET)
    to: Any = msgspec.UNSET


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change as it is encoded. :class:`ChangeView` documents it."""

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
    """A change in one field of an answer."""

    field: str
    """The name of the field, with its source: `clinvar.germline.pathogenic`."""
    change: Annotated[str, one_of(("altered", "added", "removed"))]
    """`altered`: the value changed. `added` and `removed`: an element of a list or a key of a map;
    lists and maps are compared as sets."""
    element: str | dict[str, Any] | None = None
    """The key of the map, or the identity of the list's element, by the names of its fields.
    Omitted for a value, and for a list whose elements have no identity."""
    part: str | None = None
    """The changed part of an altered element; otherwise omitted."""
    from_: Any = Field(None, alias="from")
    """The former value or element; omitted if there was none."""
    to: Any = None
    """The new value or element; omitted if there is none."""


class ChangeView(View):
    """A changed answer, or an event of a gene."""

    hgnc_id: str
    """The HGNC id with its prefix: `HGNC:9008`."""
    symbol: str
    """The symbol that the gene had at the later time."""
    source: str | None
    """The source whose answer changed; null for an event of the gene itself."""
    kind: Annotated[str, one_of(KINDS)]
    """`changed`: the answer changed. `first answer`: there was none before. `gene`: an event of the
    gene itself, such as a new symbol."""
    at: datetime
    """When the new answer became valid, or when the event was detected."""
    run_id: int | None
    """The run that stored the answer; null if a rollback did, or if the run is not known."""
    rollback_id: int | None
    """The rollback that restored the answer."""
    state_before: Annotated[str | None, one_of(STATES)]
    """The state of the former answer; null for a first answer and for an event."""
    state: Annotated[str | None, one_of(STATES)]
    """The state of the new answer; null for an event."""
    release_before: str | None
    """The last release of the source that gave the earlier answer."""
    release: str | None
    """The release of the source that gave the new answer."""
    event: str | None
    """The event of the gene: `renamed`, `merged`, `withdrawn`, `imported`, ..."""
    detail: dict[str, Any] | None
    """The detail of an event: `from` and `to`, or `into` with the HGNC ids of other genes."""
    fields: list[FieldChangeView]
    """The changed fields; empty for a first answer."""
    text: str
    """The change in words. Long lists are shortened; `fields` is complete."""


class ChangePage(View):
    """A page of changes, in the order of the genes' import and of the names of the sources."""

    changes: list[ChangeView]
    next_after: str | None
    """The parameter `after` of the next page; null when there is none."""
