"""The kinds of pictures that a source declares to present its answers on the pages.

A picture names fields of the answer by their paths, such as ``germline.pathogenic``, and declares
their grouping, order and colours. `app.web.cards` draws it. The pages list fields without a picture
with their definitions and units.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Tone = Literal[
    "red", "rose", "pink", "purple", "amber", "grey", "faint", "mint", "teal", "green", "blue"
]
"""The colours. The style sheet has two shades of each, for light and for dark pages. The meaning of
a colour is always written beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A part of a source's card.

    Args:
        title: the heading.
    """

    title: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The paths of the fields shown."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[str, ...]:
        """The fields of the elements shown, for a list of objects."""
        return ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a stacked bar: a numeric field with its label."""

    field: str
    label: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedBar(Picture):
    """Numbers that add up, side by side in one bar.

    Args:
        segments: the parts, from left to right.
    """

    segments: tuple[Segment, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return tuple(segment.field for segment in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(Picture):
    """One bar for each key of a map of numbers, the longest first.

    Args:
        field: the path of the map.
        marked: the keys that are highlighted and always shown, whatever their rank.
    """

    field: str
    marked: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return (self.field,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A value on a scale.

    Args:
        label: the label.
        value: the field of the value.
        lower: the field of the lower end of its interval, if any.
        upper: the field of the upper end of its interval, if any.
        beside: the fields written beside it, with their labels.
    """

    label: str
    value: str
    lower: str | None = None
    upper: str | None = None
    beside: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale(Picture):
    """Values on a common scale.

    Args:
        lines: the values, from top to bottom.
        minimum: the value at the left end.
        maximum: the value at the right end. A larger value is drawn there with its number.
        left: the meaning of the left end.
        right: the meaning of the right end.
        mark: a value that divides the scale.
    """

    lines: tuple[Line, ...]
    minimum: float
    maximum: float
    left: str
    right: str
    mark: float | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        found: list[str] = []
        for line in self.lines:
            ends = (line.value, line.lower, line.upper)
            found += [end for end in ends if end]
            found += [each for _, each in line.beside]
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Picture):
    """Terms of an ontology, the most important ones first.

    Args:
        field: the path of the map of all terms, from ids to names.
        first: the path of the map of the terms shown first, which may also be in ``field``.
        first_title: the heading of the first terms.
        rest_title: the heading of the other terms.
    """

    field: str
    first: str
    first_title: str
    rest_title: str

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return self.field, self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels(Picture):
    """Rows, each with a coloured label.

    Args:
        field: the path of the list of objects.
        name: the field with the name of an element.
        label: the field with the label of an element.
        tones: the colours of the labels, in the order of the rows.
        beside: further fields with their labels.
    """

    field: str
    name: str
    label: str
    tones: Mapping[str, Tone]
    beside: tuple[tuple[str, str], ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return (self.field,)

    @property
    def parts(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return self.name, self.label, *(each for _, each in self.beside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts(Labels):
    """The conclusions about each subject, such as a disease, the strongest first.

    Args:
        identifier: the field that identifies the subject. Elements with the same subject are
            grouped.
    """

    identifier: str

    @property
    def parts(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return self.name, self.identifier, self.label, *(each for _, each in self.beside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partners(Picture):
    """Other genes, with a bar for the strength of each link. They link to their pages.

    Args:
        field: the path of the list of objects.
        name: the field with the symbol.
        hgnc_id: the field with the HGNC id.
        score: the field with the strength of the link.
        maximum: the maximum strength.
    """

    field: str
    name: str
    hgnc_id: str
    score: str
    maximum: float

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return (self.field,)

    @property
    def parts(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return self.name, self.hgnc_id, self.score


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Picture):
    """A list of objects as a table of some of their fields.

    Args:
        field: the path of the list of objects.
        columns: the fields with their labels.
        names: the paths of maps from ids to names, by column. The names replace the ids.
    """

    field: str
    columns: tuple[tuple[str, str], ...]
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return (self.field,)

    @property
    def parts(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return tuple(each for _, each in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading(Picture):
    """The fields shown at the top of the gene's page, because they identify the gene.

    Args:
        name: the field with the gene's full name.
        facts: further fields with their labels.
    """

    name: str
    facts: tuple[tuple[str, str], ...]
    title: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`. The card also lists these fields."""
        return ()
