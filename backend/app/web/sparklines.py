"""Draws a number over the last runs as bars, with a summary in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.web.bars import Bar

WIDTH = 120.0
"""The width of the drawing, in its own unit."""

HEIGHT = 24.0
_GAP = 1.0
_MIN_HEIGHT = 1.0
"""The height of the bar for 0, so that every run stays visible."""


@dataclass(frozen=True, slots=True)
class Point:
    """A number and its label, such as a run."""

    of: str
    value: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A drawn sparkline.

    Attributes:
        summary: the summary in words.
    """

    bars: Sequence[Bar]
    summary: str
    width: float = WIDTH
    height: float = HEIGHT

    @property
    def paths(self) -> dict[str, str]:
        """The bars of each kind as one path, which keeps pages with many drawings small."""
        found: dict[str, str] = {}
        for bar in self.bars:
            path = f"M{bar.x:g} {bar.y:g}h{bar.width:g}V{HEIGHT:g}h-{bar.width:g}z"
            found[bar.kind] = found.get(bar.kind, "") + path
        return found


def sparkline(what: str, points: Sequence[Point], *, room: int) -> Sparkline:
    """Draw numbers with the latest at the right edge.

    Args:
        what: the counted thing, such as "requests".
        points: the numbers, the oldest first.
        room: the maximum number of bars.
    """
    if not points:
        return Sparkline((), f"{what}: no run yet")
    values = [point.value for point in points]
    maximum = max(values)
    step = WIDTH / room
    bars = []
    for number, point in enumerate(points, start=room - len(points)):
        height = max(_MIN_HEIGHT, HEIGHT * point.value / maximum) if maximum else _MIN_HEIGHT
        title = f"{point.of}: {point.value:,} {what}"
        bars.append(
            Bar(
                round(number * step, 2),
                round(HEIGHT - height, 2),
                round(step - _GAP, 2),
                round(height, 2),
                point.kind,
                title,
            )
        )
    if len(points) == 1:
        return Sparkline(bars, f"{what} in the only run: {maximum:,}")
    few = f"{min(values):,} to {maximum:,}" if min(values) != maximum else f"{maximum:,}"
    runs = f"the last {len(points)} runs"
    return Sparkline(bars, f"{what} in {runs}: {few}; in the latest: {values[-1]:,}")
