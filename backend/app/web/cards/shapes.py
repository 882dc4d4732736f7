"""The drawn pictures of a card. Positions and widths are in thousandths of the drawing's width."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.annotation.sources.pictures import Tone
from app.web.cards.facts import Table
from app.web.cards.values import Cut, Value

WIDTH = 1_000.0
"""The width of all drawings."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stacked bar, with its row in the list beside it."""

    label: str
    tone: Tone
    number: str
    share: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class DrawnStack:
    """A stacked bar."""

    kind = "stack"
    title: str
    total: str
    unit: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its label and its number."""

    label: Value
    number: str
    width: float
    marked: bool = False


@dataclass(frozen=True, slots=True)
class DrawnBars:
    """Horizontal bars."""

    kind = "bars"
    title: str
    unit: str
    bars: Cut[Bar]
    nothing: str


@dataclass(frozen=True, slots=True)
class Level:
    """A value on a scale, with its interval."""

    label: str
    number: str
    x: float | None
    low: float
    high: float
    beyond: bool
    beside: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DrawnScale:
    """Values on a common scale."""

    kind = "scale"
    title: str
    levels: Sequence[Level]
    ticks: Sequence[str]
    left: str
    right: str
    mark: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Terms that belong together."""

    title: str
    terms: Cut[tuple[Value, Value]]


@dataclass(frozen=True, slots=True)
class DrawnTerms:
    """Terms of an ontology with their names."""

    kind = "terms"
    title: str
    groups: Sequence[Group]
    nothing: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """A row with a coloured label."""

    label: str
    tone: Tone
    name: Value
    beside: Sequence[Value]


@dataclass(frozen=True, slots=True)
class DrawnLabels:
    """Rows, each with a coloured label."""

    kind = "labels"
    title: str
    counts: Sequence[tuple[str, Tone, int]]
    columns: Sequence[str]
    rows: Cut[Labelled]
    nothing: str


@dataclass(frozen=True, slots=True)
class Subject:
    """The conclusions about one subject."""

    name: Value
    identifier: Value
    strongest: Labelled
    all: Cut[Labelled]


@dataclass(frozen=True, slots=True)
class DrawnVerdicts:
    """The conclusions about each subject."""

    kind = "verdicts"
    title: str
    columns: Sequence[str]
    subjects: Cut[Subject]
    nothing: str


@dataclass(frozen=True, slots=True)
class DrawnRows:
    """A table."""

    kind = "rows_of"
    title: str
    table: Table
    nothing: str


Drawn = DrawnStack | DrawnBars | DrawnScale | DrawnTerms | DrawnLabels | DrawnVerdicts | DrawnRows
