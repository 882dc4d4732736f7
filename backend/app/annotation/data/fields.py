"""The fields of the data of all sources, by the names used in conditions and columns.

A name consists of the source and the path: ``clinvar.germline.pathogenic``. Nested structures are
flattened. Lists and maps are one field each, and ``gtex.tissues_tpm.Liver`` names one key of a map.
`field_names` finds fields by their names.
"""

import functools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.own_tables.source import Data as OwnData
from app.annotation.own_tables.store import OwnTableRow, all_columns, current_tables
from app.annotation.sources import SOURCES
from app.annotation.sources.structure import definitions, unmarked

ElementKind = Literal["text", "integer", "number", "boolean", "list", "map", "object"]

Kind = Literal["text", "integer", "number", "boolean", "list", "map"]

_PLAIN = re.compile(r"[\w:-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the data of a source.

    Attributes:
        source: the name of the source.
        path: the path of the value in the data.
        kind: the type of the value.
        nullable: whether the value or an enclosing object may be null.
        definition: the definition.
        unit: the unit of a number, or of the numbers in a list or a map.
        is_date: whether a text is a date, written ``2026-03-31``.
        values: all possible values, if they are a fixed set.
        moves: whether it may change although the source's statement about the gene does not.
        gain: the news about a gene whose value increased, as in "gained a pathogenic variant"; None
            if an increase is not news.
        by_default: whether tables show it by default.
        identity: the fields that identify an element of a list of objects.
        keys: all keys that a map can have; empty if they are not known.
        element: the type of a list's elements or of a map's values.
        parts: the fields of an element of a list of objects. Their paths begin with the list's
            path.
    """

    source: str
    path: tuple[str, ...]
    kind: Kind
    nullable: bool
    definition: str
    unit: str | None = None
    is_date: bool = False
    values: tuple[str, ...] = ()
    moves: bool = False
    gain: str | None = None
    by_default: bool = False
    identity: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    element: ElementKind | None = None
    parts: tuple["Field", ...] = ()

    @property
    def name(self) -> str:
        """The name: the source and the path, joined by dots.

        Parts with characters other than letters, digits and ``_-:`` are in double quotes.
        """
        return ".".join((self.source, *map(_quoted, self.path)))


@dataclass(frozen=True, slots=True)
class MapKey(Field):
    """One key of a map, as a field: ``gtex.tissues_tpm.Liver``.

    Its path ends with the key. The value is null if the map lacks the key.
    """


def key_of(field: Field, key: str) -> MapKey:
    """Return one key of a map as a field."""
    assert field.kind == "map"
    assert field.element not in {None, "object"}
    return MapKey(
        field.source,
        (*field.path, key),
        field.element,  # type: ignore[arg-type]  # see the assertions
        nullable=True,
        definition=f"{key}: {field.definition}",
        unit=field.unit,
        moves=field.moves,
    )


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return name if _PLAIN.fullmatch(name) else f'"{doubled}"'


@functools.cache
def fields_of(source: str) -> dict[str, Field]:
    """Return the fields of a built-in source by their names, in the order of the declaration."""
    found = _fields(source, (), SOURCES[source].data, nullable=False, moves=False)
    return {field.name: field for field in found}


def default_fields(sources: Collection[str]) -> list[Field]:
    """Return the fields that tables show by default.

    Args:
        sources: the names of the sources.
    """
    return [
        field
        for source in SOURCES
        if source in sources
        for field in fields_of(source).values()
        if field.by_default
    ]


async def all_fields(connection: AsyncConnection) -> dict[str, dict[str, Field]]:
    """Return the fields of all sources by source and name. Own tables come last."""
    columns = await all_columns(connection)
    own = {
        name: fields_of_own_table(
            # answers may come from a former file of the table
            replace(table, columns={column: kinds[0] for column, kinds in columns[name].items()})
        )
        for name, table in (await current_tables(connection)).items()
    }
    return {source: fields_of(source) for source in SOURCES} | own


def fields_of_own_table(own: OwnTableRow) -> dict[str, Field]:
    """Return the only field of an own table: its rows about the gene, which have no identity."""
    (rows,) = _fields(own.name, (), OwnData, nullable=False, moves=False)
    columns = tuple(
        Field(
            own.name,
            (*rows.path, column),
            "number" if kind == "number" else "text",
            nullable=True,
            definition=f"The column {column}.",
        )
        for column, kind in own.columns.items()
    )
    definition = f"{rows.definition} The columns: {', '.join(own.columns)}."
    field = replace(rows, definition=definition, element="object", parts=columns)
    return {field.name: field}


def _fields(
    source: str,
    path: tuple[str, ...],
    structure: type[msgspec.Struct],
    *,
    nullable: bool,
    moves: bool,
) -> Iterator[Field]:
    described = definitions(structure)
    info = msgspec.inspect.type_info(structure)
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        place = (*path, field.encode_name)
        value = _Value.of(field.type)
        may_be_null = nullable or value.nullable or not field.required
        says = value.says
        if isinstance(value.type, msgspec.inspect.StructType):
            yield from _fields(
                source,
                place,
                value.type.cls,
                nullable=may_be_null,
                moves=moves or bool(says.get("moves")),
            )
            continue
        element = _element(value.type)
        parts: tuple[Field, ...] = ()
        if element and isinstance(element.type, msgspec.inspect.StructType):
            parts = tuple(_fields(source, place, element.type.cls, nullable=False, moves=False))
        kind = _kind(value.type)
        assert kind != "object"
        yield Field(
            source,
            place,
            kind,
            may_be_null,
            described[field.name],
            unit=says.get("unit") or (element.says.get("unit") if element else None),
            is_date=isinstance(value.type, msgspec.inspect.DateType),
            values=_values(value.type),
            moves=moves or bool(says.get("moves")),
            gain=says.get("gain"),
            by_default=bool(says.get("by_default")),
            identity=tuple(says.get("identified_by", ())),
            keys=tuple(says.get("keys", ())),
            element=_kind(element.type) if element else None,
            parts=parts,
        )


@dataclass(frozen=True, slots=True)
class _Value:
    """The type of a value, without null and without its markers."""

    type: Any
    says: Mapping[str, Any]
    nullable: bool

    @classmethod
    def of(cls, described: Any) -> "_Value":
        bare, says = unmarked(described)
        if not isinstance(bare, msgspec.inspect.UnionType):
            return cls(bare, says, nullable=False)
        (inner,) = (
            type_ for type_ in bare.types if not isinstance(type_, msgspec.inspect.NoneType)
        )
        found, more = unmarked(inner)
        return cls(found, {**more, **says}, nullable=True)


_KINDS: tuple[tuple[type[Any] | tuple[type[Any], ...], ElementKind], ...] = (
    (
        (msgspec.inspect.StrType, msgspec.inspect.DateType, msgspec.inspect.LiteralType),
        "text",
    ),
    (msgspec.inspect.BoolType, "boolean"),
    (msgspec.inspect.IntType, "integer"),
    (msgspec.inspect.FloatType, "number"),
    ((msgspec.inspect.ListType, msgspec.inspect.VarTupleType), "list"),
    (msgspec.inspect.DictType, "map"),
    (msgspec.inspect.StructType, "object"),
)


def _kind(described: Any) -> ElementKind:
    return next(kind for types, kind in _KINDS if isinstance(described, types))


def _element(described: Any) -> _Value | None:
    for name in ("item_type", "value_type"):
        if hasattr(described, name):
            return _Value.of(getattr(described, name))
    return None


def _values(described: Any) -> tuple[str, ...]:
    if isinstance(described, msgspec.inspect.LiteralType):
        return tuple(str(value) for value in described.values)
    return ()
