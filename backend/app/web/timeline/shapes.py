"""The shapes of a timeline, in the unit of its drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.web.bars import Bar
from app.web.timeline.ticks import Tick
from app.web.timeline.window import Window, Zoom

WIDTH = 1_000.0
"""The width of the drawing, in its own unit."""

LABELS_WIDTH = 150.0
"""The width of the workers' names."""

MIN_BAR_WIDTH = 1.5
"""The minimum width of a bar, so that it stays visible."""

LETTER_WIDTH = 6.5
"""The approximate width of a letter."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A text with a tooltip."""

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
        """The position of the time: left of the line if the text would leave the drawing."""
        letters = max(len(self.tick.label), len(self.tick.day))
        return min(self.x, WIDTH - letters * LETTER_WIDTH)


@dataclass(frozen=True, slots=True)
class Description:
    """A line of the text version, with a link that zooms to it.

    Attributes:
        more: the text after the link.
    """

    text: str
    query: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn timeline.

    Attributes:
        top: the top of the lanes, below the labels of the gaps.
        bottom: the bottom of the lanes, above the axis.
        zooms: links to other windows.
        notes: notes on what the drawing omits.
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
    descriptions: Sequence[Description]
    notes: Sequence[str]


class Scale:
    """Maps times to positions.

    Args:
        window: the period between the left and the right edge of the lanes.
    """

    def __init__(self, window: Window) -> None:
        self._window = window

    def x(self, at: datetime) -> float:
        """Return the position of a time, limited to the edges."""
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
        """Return a bar; empty if it lies outside the window."""
        if not self._window.meets(begin, end):
            return []
        left = min(self.x(begin), WIDTH - MIN_BAR_WIDTH)
        width = max(round(self.x(end) - left, 2), MIN_BAR_WIDTH)
        return [Bar(left, y, width, height, kind, title)]
