"""Describes the differences between two versions of an answer in words, for curators."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from app.annotation.data.diff import MISSING, FieldChange
from app.annotation.data.fields import Field

MAX_VALUES = 12
"""Maximum number of values named in a line."""

MAX_ELEMENTS = 5
"""Maximum number of elements of a list named as added, as removed, and as altered."""

MAX_CHARS = 60
"""Maximum length of a value in characters."""

_NAMES = ("name", "symbol", "disease", "protein_name")
"""The fields with a name for people, of an element that also has an identifier."""

_VERBS = ("added", "removed", "altered")

_SINGULAR_ENDINGS = ("ss", "us", "is")
"""Words with these endings are not plurals: status, basis."""


class Words:
    """Words for the changes of one source.

    Args:
        fields: the fields of the source. A field's label is the shortest unique end of its path.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        paths = [field.path for field in fields]
        suffixes = Counter(suffix for path in paths for suffix in _suffixes(path))
        self._labels = {
            path: next((each for each in _suffixes(path) if suffixes[each] == 1), path)
            for path in paths
        }

    def describe(self, changes: Sequence[FieldChange]) -> str:
        """Return one line about the changes of one answer; empty if there are none."""
        altered = [
            change for change in changes if change.element is None and change.change == "altered"
        ]
        # a change from no value to an empty value is not worth mentioning
        telling = [each for each in altered if not _is_nothing(each.old, each.new)]
        values = [f"{self._label(each.path)} {_from_to(each)}" for each in telling or altered]
        others = [
            change for change in changes if change.element is not None or change.change != "altered"
        ]
        parts = [_cut(values, MAX_VALUES)] if values else []
        for path, of_field in groupby(others, key=lambda each: each.path):
            parts += _elements(self._label(path), list(of_field))
        return "; ".join(parts)

    def _label(self, path: tuple[str, ...]) -> str:
        return " ".join(self._labels.get(path, path[-1:])).replace("_", " ")


def describe_answer(
    words: Words,
    changes: Sequence[FieldChange],
    *,
    former_state: str,
    state: str,
    rollback_id: int | None = None,
) -> str:
    """Return one line about an answer that replaced another one.

    Args:
        words: the words of the source.
        changes: the changes of the data to describe.
        former_state: the state of the former answer.
        state: the state of the new answer.
        rollback_id: the rollback that restored the new answer.
    """
    parts = [f"{former_state} -> {state}"] if state != former_state else []
    # an absent answer has lost all its data, so the changes need no description
    described = words.describe(changes) if state == "found" else ""
    parts += [described] if described else []
    parts += [f"by rollback {rollback_id}"] if rollback_id is not None else []
    return "; ".join(parts)


def describe_event(event: str, detail: Mapping[str, Any]) -> str:
    """Describe an event of a gene: `renamed MLL -> KMT2A`."""
    if "from" in detail:
        return f"{event} {_value(detail['from'])} -> {_value(detail.get('to'))}"
    into = detail.get("into")
    return f"{event} into {', '.join(map(str, into))}" if into else event


def _suffixes(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (path[place:] for place in reversed(range(len(path))))


def _elements(label: str, changes: Sequence[FieldChange]) -> Iterator[str]:
    """Describe the changes of one list or map."""
    one = _singular(label)
    keys = [change for change in changes if isinstance(change.element, str)]
    for verb in _VERBS[:2]:
        named = [
            _element(one, change) for change in changes if change.change == verb and not change.part
        ]
        if named:
            yield f"{verb} {one if len(named) == 1 else label} {_cut(named, MAX_ELEMENTS)}"
    altered = [f"{key.element} {_from_to(key)}" for key in keys if key.change == "altered"]
    if altered:
        yield f"{label} {_cut(altered, MAX_VALUES)}"
    parts = [change for change in changes if change.part]
    within = [
        f"{identity_in_words(each)}: {_cut([_part(part) for part in of_element], MAX_VALUES)}"
        for each, of_element in _by_element(parts)
    ]
    if within:
        yield f"altered {one if len(within) == 1 else label} {_cut(within, MAX_ELEMENTS)}"


def _by_element(
    changes: Sequence[FieldChange],
) -> Iterator[tuple[dict[str, Any], list[FieldChange]]]:
    for _, of_element in groupby(changes, key=lambda each: msgspec.json.encode(each.element)):
        listed = list(of_element)
        assert isinstance(listed[0].element, dict)
        yield listed[0].element, listed


def _part(change: FieldChange) -> str:
    name = " ".join(change.part).replace("_", " ")
    if change.change == "altered":
        return f"{name} {_from_to(change)}"
    return f"{change.change} {_singular(name)} {_value(_present(change))}"


def _element(label: str, change: FieldChange) -> str:
    return element_in_words(label, change.element, _present(change))


def element_in_words(label: str, element: str | Mapping[str, Any] | None, value: Any) -> str:
    """Describe an element of a list or a map by its identifier or key, with its name.

    Args:
        label: the noun for one element.
        element: the key of the map, or what identifies the element of the list; see `diff`.
        value: the element itself.
    """
    if isinstance(element, str):
        return f"{element} {_value(value)}"
    if element is None:
        return _value(value)
    for name in (*_NAMES, label.replace(" ", "_")):
        if name not in element and isinstance(value.get(name), str):
            return f"{identity_in_words(element)} {_value(value[name])}"
    return identity_in_words(element)


def _present(change: FieldChange) -> Any:
    return change.old if change.new is MISSING else change.new


def identity_in_words(identity: Mapping[str, Any]) -> str:
    """Describe the identity of an element of a list."""
    return " ".join(_value(value) for value in identity.values() if value is not None)


def _from_to(change: FieldChange) -> str:
    old, new = in_words(change.old), in_words(change.new)
    if old != new and _shortened(old) == _shortened(new):
        # long texts with a common start are shown from a few words before the difference
        pairs = enumerate(zip(old, new, strict=False))
        differ = next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))
        start = differ - MAX_CHARS // 3
        start += old[start:differ].find(" ") + 1
        old, new = f"...{old[start:]}", f"...{new[start:]}"
    return f"{_shortened(old)} -> {_shortened(new)}"


def _is_nothing(old: Any, new: Any) -> bool:
    return old is MISSING and (new is None or new in ([], {}))


def _value(value: Any) -> str:
    return _shortened(in_words(value))


def in_words(value: Any) -> str:
    """Return a value in words, without a length limit."""
    match value:
        case None | msgspec.UNSET:
            return "none"
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case list():
            return ", ".join(map(_value, value[: MAX_ELEMENTS + 1])) or "none"
        case dict():
            held = (f"{name} {_value(each)}" for name, each in value.items() if each is not None)
            return ", ".join(held) or "none"
        case _:
            return str(value)


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS - 3].rstrip()}..."


def _cut(parts: Sequence[str], limit: int) -> str:
    if len(parts) <= limit:
        return ", ".join(parts)
    return f"{', '.join(parts[:limit])} and {len(parts) - limit:,} more"


def _singular(label: str) -> str:
    if label.endswith("ies"):
        return f"{label[:-3]}y"
    is_plural = label.endswith("s") and not label.endswith(_SINGULAR_ENDINGS)
    return label[:-1] if is_plural else label
