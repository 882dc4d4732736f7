"""The shapes of a timeline, in the unit of its drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.web.bars import Bar
from app.web.timeline.ticks import Tick
from app.web.timeline.window import Window, Zoom

WIDTH = 1_000.0
"""Of the drawing, in its own unit."""

LABELS_WIDTH = 150.0
"""The part of the width in which the workers are named."""

MIN_BAR_WIDTH = 1.5
"""The width of the shortest bar, so that it is visible."""

LETTER_WIDTH = 6.5
"""About the width of a letter."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A text, with a longer one that a pointer over it shows."""

    x: float
    y: float
    text: str
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A vertical line of the axis."""

    x: float
    tick: Tick

    @property
    def text_x(self) -> float:
        """Where its time is written: left of the line where the drawing ends before the text."""
        letters = max(len(self.tick.label), len(self.tick.day))
        return min(self.x, WIDTH - letters * LETTER_WIDTH)


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the list that says the same in words, with a link that zooms to it.

    Attributes:
        more: what is not part of the link.
    """

    text: str
    query: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the page draws.

    Attributes:
        top: where the lanes begin, below the labels of the gaps.
        bottom: where they end, above the times.
        zooms: links to other windows.
        notes: what the drawing does not show.
    """

    width: float
    height: float
    top: float
    bottom: float
    window: Window
    marks: Sequence[Mark]
    bars: Sequence[Bar]
    gaps: Sequence[Bar]
    axis: Sequence[Line]
    zooms: Sequence[Zoom]
    told: Sequence[Told]
    notes: Sequence[str]


class Scale:
    """Places times.

    Args:
        window: from the left edge to the right edge of the lanes.
    """

    def __init__(self, window: Window) -> None:
        self._window = window

    def x(self, at: datetime) -> float:
        """Return the place of a time; what is outside is at the edge."""
        share = (at - self._window.begin) / self._window.length
        return round(LABELS_WIDTH + (WIDTH - LABELS_WIDTH) * min(max(share, 0.0), 1.0), 2)

    def bar(
        self,
        begin: datetime,
        end: datetime,
        *,
        y: float,
        height: float,
        kind: str,
        title: str,
    ) -> list[Bar]:
        """Return a bar, or none if it lies outside."""
        if not self._window.meets(begin, end):
            return []
        left = min(self.x(begin), WIDTH - MIN_BAR_WIDTH)
        width = max(round(self.x(end) - left, 2), MIN_BAR_WIDTH)
        return [Bar(left, y, width, height, kind, title)]
