"""Shows the former and the new values of a change side by side, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from app.annotation.data.changes.views import Change, FieldDifference
from app.annotation.data.fields import Field
from app.annotation.data.wording import element_in_words, identity_in_words, in_words
from app.core.text.words import shortened

MAX_CHARS = 300
"""Maximum length of a value in characters."""


@dataclass(slots=True)
class Row:
    """One difference: a changed value, or the added and removed elements of a list or map.

    Attributes:
        name: the name of the field, with the element and its part, for people.
        definition: the definition of the field; empty if the source does not declare it any more.
        before: the former value, or the removed elements.
        now: the new value, or the added elements.
    """

    name: str
    definition: str
    before: list[str] = field(default_factory=list)
    now: list[str] = field(default_factory=list)


def side_by_side(change: Change, fields: Mapping[str, Field]) -> list[Row]:
    """Return the differences, in the order of the fields.

    Args:
        change: the change of an answer.
        fields: the fields of the source, by name.
    """
    rows: dict[str, Row] = {}
    for each in change.fields:
        label = each.field.removeprefix(f"{change.source}.").replace(".", " ").replace("_", " ")
        name = ": ".join([label, *_place(each)])
        declared = fields.get(each.field)
        row = rows.setdefault(name, Row(name, declared.definition if declared else ""))
        if each.change != "added":
            row.before.append(_said(label, each, each.from_))
        if each.change != "removed":
            row.now.append(_said(label, each, each.to))
    return list(rows.values())


def _place(each: FieldDifference) -> list[str]:
    """Return the element of the list or map that was altered, and the part of it."""
    if each.element is msgspec.UNSET or (each.change != "altered" and each.part is msgspec.UNSET):
        return []
    element = each.element if isinstance(each.element, str) else identity_in_words(each.element)
    return [element] if each.part is msgspec.UNSET else [element, str(each.part).replace("_", " ")]


def _said(label: str, each: FieldDifference, value: object) -> str:
    whole = each.change != "altered" and each.part is msgspec.UNSET
    element = None if each.element is msgspec.UNSET else each.element
    said = element_in_words(label, element, value) if whole else in_words(value)
    return shortened(said, MAX_CHARS)
