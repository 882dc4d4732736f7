"""Compares two versions of the data of an answer, field by field.

The declared fields of the source control the comparison: the keys of a map and the elements of a
list are compared as sets, regardless of their order. Data of an older parser may lack declared
fields and have undeclared ones, which are compared by their type.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import msgspec

from app.annotation.data.fields import Field

Data: TypeAlias = Mapping[str, Any]

MISSING: Any = msgspec.UNSET
"""A missing value, which differs from null."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One difference between two versions of the data of an answer.

    Attributes:
        path: the path of the field: the names of objects in objects.
        change: whether a value was `altered`, or an element of a list or a key of a map was `added`
            or `removed`.
        old: the former value or element; `MISSING` if there was none.
        new: the new value or element; `MISSING` if there is none.
        element: the identity of the list's element, by the names of its fields, or the key of the
            map; None for a value, and in a list whose elements have no identity.
        part: the path of the value in the element.
        moves: whether the field may change although the source's statement does not.
    """

    path: tuple[str, ...]
    change: Literal["altered", "added", "removed"]
    old: Any = MISSING
    new: Any = MISSING
    element: str | dict[str, Any] | None = None
    part: tuple[str, ...] = ()
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """The declaration of an object's fields, which controls how objects are compared.

    Attributes:
        fields: the declared fields and the shapes of nested objects, by name.
        elements: the shapes of the elements of declared lists, by the list's name.
    """

    fields: Mapping[str, "Field | Shape"]
    elements: Mapping[str, "Shape"]

    @classmethod
    def of(cls, fields: Iterable[Field]) -> "Shape":
        """Return the shape of data with these fields, in their order."""
        return cls._below(0, fields)

    @classmethod
    def _below(cls, depth: int, fields: Iterable[Field]) -> "Shape":
        found: dict[str, Field | list[Field]] = {}
        for field in fields:
            name = field.path[depth]
            if len(field.path) == depth + 1:
                found[name] = field
                continue
            nested = found.setdefault(name, [])
            if isinstance(nested, list):
                nested.append(field)
        return cls(
            {
                name: cls._below(depth + 1, each) if isinstance(each, list) else each
                for name, each in found.items()
            },
            {
                # lists inside an element are compared without identities
                name: cls._below(depth + 1, [replace(part, identity=()) for part in each.parts])
                for name, each in found.items()
                if isinstance(each, Field) and each.parts
            },
        )


_UNDECLARED = Shape({}, {})


def diff(shape: Shape, old: Data | None, new: Data | None) -> list[FieldChange]:
    """Return the differences, in the order of the declared fields.

    The differences applied to the old data give the new data.

    Args:
        shape: the shape of the data of the source.
        old: the former data; None if there was none.
        new: the new data; None if there is none.
    """
    return [*_objects(shape, (), old or {}, new or {})]


def _objects(shape: Shape, path: tuple[str, ...], old: Data, new: Data) -> Iterator[FieldChange]:
    if old == new:
        return
    for name in dict.fromkeys((*shape.fields, *old, *new)):
        before, after = old.get(name, MISSING), new.get(name, MISSING)
        if before != after:
            yield from _values(shape, (*path, name), before, after)


def _values(shape: Shape, path: tuple[str, ...], old: Any, new: Any) -> Iterator[FieldChange]:
    name = path[-1]
    declared = shape.fields.get(name)
    moves = isinstance(declared, Field) and declared.moves
    was_there = old is not MISSING and old is not None
    changes: Iterable[FieldChange]
    if isinstance(new, dict) and (isinstance(old, dict) or (new and not was_there)):
        before = old if was_there else {}
        if isinstance(declared, Field):
            changes = _maps(path, before, new)
        else:
            changes = _objects(declared or _UNDECLARED, path, before, new)
    elif isinstance(new, list) and (isinstance(old, list) or (new and not was_there)):
        identity = declared.identity if isinstance(declared, Field) else ()
        element = shape.elements.get(name, _UNDECLARED)
        changes = _lists(element, identity, path, old if was_there else [], new)
    elif _key(old) != _key(new):
        changes = (FieldChange(path, "altered", old, new),)
    else:
        changes = ()
    yield from (replace(change, moves=True) for change in changes) if moves else changes


def _maps(path: tuple[str, ...], old: Data, new: Data) -> Iterator[FieldChange]:
    for key in new:
        if key not in old:
            yield FieldChange(path, "added", MISSING, new[key], key)
    for key in old:
        if key not in new:
            yield FieldChange(path, "removed", old[key], MISSING, key)
    for key, value in old.items():
        if key in new and _key(value) != _key(new[key]):
            yield FieldChange(path, "altered", value, new[key], key)


def _lists(
    shape: Shape,
    identity: Sequence[str],
    path: tuple[str, ...],
    old: Sequence[Any],
    new: Sequence[Any],
) -> Iterator[FieldChange]:
    gone, came = _trimmed(old, new)
    altered: list[tuple[dict[str, Any], Any, Any]] = []
    if identity:
        gone, came, altered = _paired(identity, gone, came)
    else:
        gone, came = _without_equals(gone, came)
    for element in came:
        yield FieldChange(path, "added", MISSING, element, _identity(identity, element))
    for element in gone:
        yield FieldChange(path, "removed", element, MISSING, _identity(identity, element))
    for named, before, after in altered:
        for difference in _objects(shape, (), before, after):
            # the key of a map in an element is part of the path in the element
            key = (difference.element,) if isinstance(difference.element, str) else ()
            change = "altered" if key else difference.change
            part = (*difference.path, *key)
            yield FieldChange(
                path, change, difference.old, difference.new, named, part, difference.moves
            )


def _trimmed(old: Sequence[Any], new: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Remove most elements that are equal at the same position. This is a fast first step."""
    start, end_old, end_new = 0, len(old), len(new)
    while start < end_old and start < end_new and old[start] == new[start]:
        start += 1
    while start < end_old and start < end_new and old[end_old - 1] == new[end_new - 1]:
        end_old -= 1
        end_new -= 1
    gone, came = [*old[start:end_old]], [*new[start:end_new]]
    if len(gone) == len(came):
        pairs = [each for each in zip(gone, came, strict=True) if each[0] != each[1]]
        return [before for before, _ in pairs], [after for _, after in pairs]
    return gone, came


def _without_equals(old: Sequence[Any], new: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the elements of each list without an equal in the other one, in their order."""
    if not old or not new:
        return [*old], [*new]
    left: dict[Any, list[Any]] = defaultdict(list)
    for element in old:
        left[_key(element)].append(element)
    came = []
    for element in new:
        equals = left.get(_key(element))
        if equals:
            equals.pop()
        else:
            came.append(element)
    return [element for equals in left.values() for element in equals], came


def _paired(
    identity: Sequence[str], old: Sequence[Any], new: Sequence[Any]
) -> tuple[list[Any], list[Any], list[tuple[dict[str, Any], Any, Any]]]:
    """Pair elements with the same identity, if it is unique in each list."""
    groups: dict[Any, tuple[list[Any], list[Any]]] = defaultdict(lambda: ([], []))
    for side, elements in enumerate((old, new)):
        for element in elements:
            groups[_identity_key(identity, element)][side].append(element)
    gone: list[Any] = []
    came: list[Any] = []
    altered: list[tuple[dict[str, Any], Any, Any]] = []
    for group in groups.values():
        before, after = group
        # values other than objects have no identity; they are only equal or not
        named = _identity(identity, (before or after)[0])
        if named is None or len(before) > 1 or len(after) > 1:
            before, after = _without_equals(before, after)
        if named is not None and len(before) == len(after) == 1:
            altered.append((named, before[0], after[0]))
        else:
            gone += before
            came += after
    return gone, came, altered


def _identity_key(identity: Sequence[str], element: Any) -> Any:
    if not isinstance(element, dict):
        # without an identity, only equal elements match
        return None, _key(element)
    return tuple(_key(element.get(name)) for name in identity)


def _identity(identity: Sequence[str], element: Any) -> dict[str, Any] | None:
    if not identity or not isinstance(element, dict):
        return None
    return {name: element.get(name) for name in identity}


def _key(value: Any) -> Any:
    """Return a hashable key that is equal for equal values, regardless of the order of lists."""
    if isinstance(value, dict):
        return frozenset((name, _key(each)) for name, each in value.items())
    if isinstance(value, list):
        counts: dict[Any, int] = defaultdict(int)
        for each in value:
            counts[_key(each)] += 1
        return "list", frozenset(counts.items())
    return value
