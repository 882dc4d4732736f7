"""How people read the answer of a source: the kinds of pictures that a source declares.

A picture names fields of the answer by their paths, such as ``germline.pathogenic``, and says what
belongs together, in which order, and with which colours. `app.web.cards` draws it. Fields that no
picture shows are listed with their definitions and units.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Tone = Literal[
    "red", "rose", "pink", "purple", "amber", "grey", "faint", "mint", "teal", "green", "blue"
]
"""The colours. The style sheet has two shades of each, for light and for dark pages. A colour never
stands alone: its meaning is written beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A part of a source's card.

    Args:
        title: what it shows, as its heading.
    """

    title: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The paths of the fields that it shows."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[str, ...]:
        """Of a list of objects, the fields of its elements that it shows."""
        return ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a stacked bar: a field that is a number, with its name for people."""

    field: str
    label: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedBar(Picture):
    """Numbers that add up, one beside the other in one bar.

    Args:
        segments: from left to right.
    """

    segments: tuple[Segment, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return tuple(each.field for each in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(Picture):
    """A bar for each key of a map of numbers, the longest first.

    Args:
        field: the map.
        marked: keys that stand out, and are shown wherever they rank.
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
        label: what it is, for people.
        value: its field.
        lower: the field of the lower end of its interval, if it has one.
        upper: the field of the upper end.
        beside: fields that are told beside it, with their names for people.
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
        least: the left end.
        most: the right end. A value beyond it is drawn there, and its number is told.
        left: what it means to be at the left end.
        right: what it means to be at the right end.
        mark: a value that divides the scale.
    """

    lines: tuple[Line, ...]
    least: float
    most: float
    left: str
    right: str
    mark: float | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        found: list[str] = []
        for line in self.lines:
            ends = (line.value, line.lower, line.upper)
            found += [each for each in ends if each]
            found += [each for _, each in line.beside]
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Picture):
    """Terms of an ontology, those that matter most on top.

    Args:
        field: the map of all terms: their ids with their names.
        first: a map of those on top, which may be in the other one, too.
        first_title: what these are.
        rest_title: what the others are.
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
    """Rows with a coloured label each.

    Args:
        field: the list of objects.
        name: the field that names an element.
        label: the field whose value is its label.
        tones: the colours of the labels. Their order is that of the rows.
        beside: further fields, with their names for people.
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
    """What was concluded about each subject, such as a disease; the strongest conclusion first.

    Args:
        identifier: the field that identifies the subject; all elements with the same one are shown
            together.
    """

    identifier: str

    @property
    def parts(self) -> tuple[str, ...]:
        """See :class:`Picture`."""
        return self.name, self.identifier, self.label, *(each for _, each in self.beside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partners(Picture):
    """Other genes, with a bar for how strong the link to each is. They link to their pages.

    Args:
        field: the list of objects.
        name: the field with the symbol.
        hgnc_id: the field with the HGNC id.
        score: the field with the strength.
        most: the largest strength.
    """

    field: str
    name: str
    hgnc_id: str
    score: str
    most: float

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
        field: the list of objects.
        columns: the fields, with their names for people.
        names: maps from ids to names, which are shown instead of the ids of a column.
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
    """What belongs to the head of the gene's page, because it identifies the gene.

    Args:
        name: the field with the gene's name in full.
        facts: further fields, with their names for people.
    """

    name: str
    facts: tuple[tuple[str, str], ...]
    title: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """See :class:`Picture`. The card lists them, too."""
        return ()
