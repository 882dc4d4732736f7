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
    for difference in change.fields:
        label = (
            difference.field.removeprefix(f"{change.source}.").replace(".", " ").replace("_", " ")
        )
        name = ": ".join([label, *_place(difference)])
        declared = fields.get(difference.field)
        row = rows.setdefault(name, Row(name, declared.definition if declared else ""))
        if difference.change != "added":
            row.before.append(_value_text(label, difference, difference.from_))
        if difference.change != "removed":
            row.now.append(_value_text(label, difference, difference.to))
    return list(rows.values())


def _place(difference: FieldDifference) -> list[str]:
    """Return the element of the list or map that was altered, and the part of it."""
    if difference.element is msgspec.UNSET or (
        difference.change != "altered" and difference.part is msgspec.UNSET
    ):
        return []
    element = (
        difference.element
        if isinstance(difference.element, str)
        else identity_in_words(difference.element)
    )
    return (
        [element]
        if difference.part is msgspec.UNSET
        else [element, str(difference.part).replace("_", " ")]
    )


def _value_text(label: str, difference: FieldDifference, value: object) -> str:
    whole = difference.change != "altered" and difference.part is msgspec.UNSET
    element = None if difference.element is msgspec.UNSET else difference.element
    text = element_in_words(label, element, value) if whole else in_words(value)
    return shortened(text, MAX_CHARS)
