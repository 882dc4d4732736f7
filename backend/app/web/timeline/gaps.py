"""Draws the times in which no worker executed a run, labelled with their duration."""

from collections.abc import Sequence
from typing import NamedTuple

from app.core.text.words import time_span
from app.web.bars import Bar
from app.web.timeline.history import Gap
from app.web.timeline.rows import in_rows
from app.web.timeline.shapes import LABELS_WIDTH, LETTER_WIDTH, WIDTH, Mark, Scale

LABEL_HEIGHT = 15.0
"""The height of a row of labels."""

MAX_ROWS = 6


class Gaps(NamedTuple):
    """The gaps of a drawing.

    Attributes:
        top: the top of the lanes, below the labels.
        unlabelled: the number of gaps without room for a label.
    """

    bars: Sequence[Bar]
    marks: Sequence[Mark]
    top: float
    unlabelled: int


def seconds_of(gap: Gap) -> str:
    """Return the duration of a gap in words."""
    return f"{gap.seconds:.2f} s" if gap.seconds < 60 else time_span(gap.seconds)  # noqa: PLR2004


def describe_gap(gap: Gap) -> str:
    """Describe a gap in words."""
    return f"no worker for {seconds_of(gap)}, from the loss to the next attempt"


def draw_gaps(gaps: Sequence[Gap], scale: Scale, lanes: float) -> Gaps:
    """Draw the gaps in a window.

    Args:
        gaps: the gaps, in order.
        scale: the scale of the drawing.
        lanes: the height of all lanes.
    """
    labels = [(gap, *_extent(gap, scale)) for gap in gaps]
    placed, left_out = in_rows(labels, lambda label: label[1:], max_rows=MAX_ROWS)
    rows = 1 + max((row for row, _ in placed), default=-1)
    top = rows * LABEL_HEIGHT + 5.0
    bars = [
        bar
        for gap in gaps
        for bar in scale.bar(
            gap.begin, gap.end, y=top, height=lanes, kind="gap", title=describe_gap(gap)
        )
    ]
    marks = [
        Mark(
            round((left + right) / 2, 2),
            12.0 + row * LABEL_HEIGHT,
            seconds_of(gap),
            "gap",
            describe_gap(gap),
        )
        for row, (gap, left, right) in placed
    ]
    return Gaps(bars, marks, top, len(left_out))


def _extent(gap: Gap, scale: Scale) -> tuple[float, float]:
    """Return the left and right edge of a label, which is centred above its gap."""
    width = (len(seconds_of(gap)) + 1) * LETTER_WIDTH
    middle = (scale.x(gap.begin) + scale.x(gap.end)) / 2
    left = min(max(middle - width / 2, LABELS_WIDTH), WIDTH - width)
    return left, left + width
