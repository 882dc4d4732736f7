"""The columns of the table of genes: the chosen ones and the available ones."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.annotation.data.field_names import Known, find_fields
from app.annotation.data.fields import Field, key_of
from app.annotation.sources.declaration import SourceInfo
from app.core.errors import WrongUse

MAX_UNKNOWN_NAMES = 20
"""The number of unknown names after which no further suggestion is computed."""

_PART = re.compile(r"[^._]+[._]*|[._]+")


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        field: the field shown in its cells.
        label: the name of the field without the source.
    """

    field: Field
    label: str

    @property
    def parts(self) -> list[str]:
        """The label, split where a line may break."""
        return _PART.findall(self.label)

    @property
    def is_number(self) -> bool:
        """Whether its values are right-aligned."""
        return self.field.kind in {"integer", "number"}

    @property
    def first_order(self) -> str:
        """The order after the first click: descending for numbers and lists."""
        return self.field.name if self.field.kind in {"text", "boolean"} else f"-{self.field.name}"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a source."""

    source: str
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True)
class Offered:
    """A field that can be a column.

    Attributes:
        column: the column of the field.
        is_chosen: whether the column is chosen.
        keys: the keys of a map that can be separate columns.
    """

    column: Column
    is_chosen: bool
    keys: Sequence["Offered"] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A source with the fields that can be columns.

    Attributes:
        chosen: the number of chosen columns.
    """

    name: str
    title: str
    offered: Sequence[Offered]
    chosen: int


def by_source(fields: Iterable[Field], known: Known) -> list[Columns]:
    """Return columns grouped by source, in the order of exports."""
    found: dict[str, list[Column]] = {source: [] for source in known}
    for field in fields:
        found[field.source].append(_column(field))
    return [Columns(source, columns) for source, columns in found.items() if columns]


def offered(
    known: Known, sources: Mapping[str, SourceInfo], chosen: Collection[str]
) -> list[Source]:
    """Return all fields that can be columns.

    Args:
        known: the fields of all sources.
        sources: the declarations of the sources.
        chosen: the names of the chosen columns.
    """
    found = []
    for source, fields in known.items():
        offers = [_offer(field, chosen) for field in fields.values()]
        number = sum(offer.is_chosen + sum(key.is_chosen for key in offer.keys) for offer in offers)
        title = sources[source].title if source in sources else source
        found.append(Source(source, title, offers, number))
    return found


def known_names(names: Iterable[str], known: Known) -> tuple[list[str], list[str]]:
    """Return the names of the fields that names mean, and the names that mean none.

    After too many unknown names, all following names are returned as unknown: finding similar names
    takes time, and a URL may contain thousands of names.
    """
    found: dict[str, None] = {}
    mistaken: list[str] = []
    for name in names:
        if len(mistaken) >= MAX_UNKNOWN_NAMES:
            mistaken.append(name)
            continue
        try:
            found |= dict.fromkeys(field.name for field in find_fields([name], known))
        except WrongUse:
            mistaken.append(name)
    return [*found], mistaken


def _column(field: Field) -> Column:
    return Column(field, field.name.removeprefix(f"{field.source}."))


def _offer(field: Field, chosen: Collection[str]) -> Offered:
    keys = [key_of(field, key) for key in field.keys]
    return Offered(
        _column(field),
        field.name in chosen,
        [Offered(Column(key, key.path[-1]), key.name in chosen) for key in keys],
    )
