"""Lists the fields of an answer with their definitions and units."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.annotation.data.fields import Field
from app.web.cards.values import Cut, Value, as_number, cut, elements, write

MAX_INLINE_CHARS = 50
"""The length in characters above which every value of a list gets its own line."""

MAX_BLOCKS = 2
"""Maximum number of nested objects shown initially, because they are long."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """A map of keys to values."""

    kind = "pairs"
    pairs: Cut[tuple[Value, Value]]


@dataclass(frozen=True, slots=True)
class Values:
    """A list of values."""

    kind = "values"
    values: Cut[Value]

    @property
    def are_long(self) -> bool:
        """Whether each value needs its own line."""
        return any(len(each.text) > MAX_INLINE_CHARS for each in self.values.first)


@dataclass(frozen=True, slots=True)
class Table:
    """A list of objects.

    Attributes:
        columns: the names of the fields, with their definitions.
        numbers: the indexes of the columns of numbers.
        rows: the values.
    """

    kind = "table"
    columns: Sequence[tuple[str, str]]
    numbers: Collection[int]
    rows: Cut[list[Value]]


@dataclass(frozen=True, slots=True)
class Blocks:
    """A list of objects that contain lists of objects."""

    kind = "blocks"
    blocks: Cut[list["Fact"]]


@dataclass(frozen=True, slots=True)
class Fact:
    """A field with its value.

    Attributes:
        label: the name for people.
        definition: the definition.
        value: the value.
    """

    label: str
    definition: str
    value: Value | Pairs | Values | Table | Blocks


def facts(
    fields: Iterable[Field], data: Mapping[str, Any], without: Collection[str] = (), depth: int = 0
) -> list[Fact]:
    """Return the facts of an answer, in the order of the fields' declaration.

    Undeclared fields, which older answers may have, come last.

    Args:
        fields: the declared fields.
        data: the data of the answer, or of an object in it.
        without: the paths of fields that are shown elsewhere.
        depth: the number of leading names of the fields' paths that lead to the object.
    """
    found = [*_declared(fields, data, without, depth)]
    names = {field.path[depth] for field in fields}
    return found + [
        Fact(label((name,)), "", write(value, name))
        for name, value in data.items()
        if name not in names
    ]


def label(path: Sequence[str]) -> str:
    """Return the name of a field for people."""
    return " ".join(path).replace("_", " ")


def _declared(
    fields: Iterable[Field], data: Mapping[str, Any], without: Collection[str], depth: int
) -> Iterator[Fact]:
    for field in fields:
        path = field.path[depth:]
        if ".".join(path) in without:
            continue
        value, is_there = _at(data, path)
        if is_there:
            yield Fact(label(path), field.definition, _shown(field, value))


def _at(data: Any, path: Sequence[str]) -> tuple[Any, bool]:
    for name in path:
        if data is None:
            return None, True  # the enclosing object is null, and so is the value
        if not isinstance(data, dict) or name not in data:
            return None, False
        data = data[name]
    return data, True


def _shown(field: Field, value: Any) -> Value | Pairs | Values | Table | Blocks:
    name = field.path[-1]
    unit = field.unit
    if isinstance(value, dict) and value:
        pairs = [*value.items()]
        return Pairs(cut(pairs, lambda pair: (write(pair[0]), write(pair[1], name, unit))))
    if not isinstance(value, list) or not value:
        return write(value, name, unit)
    objects = elements(value)
    if len(objects) < len(value):
        return Values(cut(value, lambda each: write(each, name, unit)))
    if any(part.parts for part in field.parts):
        depth = len(field.path)
        shown = cut(objects, lambda each: facts(field.parts, each, depth=depth), MAX_BLOCKS)
        return Blocks(shown)
    return table(field.parts, objects)


def table(parts: Sequence[Field], objects: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of objects, with a column for each given field."""
    columns = [(label(part.path[-1:]), part.definition) for part in parts]
    names = [part.path[-1] for part in parts]
    if not parts:
        names = [*dict.fromkeys(name for object_ in objects for name in object_)]
        columns = [(label((name,)), "") for name in names]
    units = [part.unit for part in parts] or [None] * len(names)
    numbers = {
        place
        for place, name in enumerate(names)
        if all(as_number(object_.get(name)) is not None for object_ in objects)
    }

    def row(each: Mapping[str, Any]) -> list[Value]:
        return [write(each.get(name), name, unit) for name, unit in zip(names, units, strict=True)]

    return Table(columns, numbers, cut(objects, row))
