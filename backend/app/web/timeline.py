"""What happened to a run, to scale: a lane for each worker, a bar for each attempt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from app.core.runs.events import Event
from app.core.runs.views import Run, RunEvent
from app.core.words import span

WIDTH = 1_000.0
"""Of the drawing, in its own unit."""

_LABELS = 90.0
"""The part of the width in which the workers are named."""

_LANE = 46.0
_BAR = 16.0
_SOURCE = 3.0
_TICKS = 6
_SHORTEST = 1.5
"""An attempt is visible however short it was."""

_BEGINS = frozenset({Event.CLAIMED, Event.TAKEN_OVER})
_ENDS = {
    Event.LOST: "lost",
    Event.INTERRUPTED: "interrupted",
    Event.RELEASED: "interrupted",
    Event.ATTEMPT_FAILED: "failed",
    Event.WAITING: "waiting",
    Event.TIMED_OUT: "interrupted",
    Event.CANCELLED: "cancelled",
    Event.SUCCEEDED: "succeeded",
    Event.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class AttemptSpan:
    """One attempt.

    Attributes:
        worker: the worker's id; None if it is not known.
        end: None while the attempt goes on.
        outcome: how it ended, or ``running``.
    """

    epoch: int
    worker: int | None
    begin: datetime
    end: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Gap:
    """The time between the loss of a worker and the next attempt."""

    begin: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """How long nobody executed the run."""
        return (self.end - self.begin).total_seconds()


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the drawing, with the text that a pointer over it shows."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A text of the drawing."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the page draws. Places are in the unit of :data:`WIDTH`.

    Attributes:
        begin: the time at its left edge.
        end: the time at its right edge.
        summary: the same in words.
    """

    width: float
    height: float
    begin: datetime
    end: datetime
    lanes: Sequence[Mark]
    bars: Sequence[Bar]
    gaps: Sequence[Bar]
    ticks: Sequence[Mark]
    summary: Sequence[str]


def attempts_of(events: Sequence[RunEvent]) -> list[AttemptSpan]:
    """Return the attempts that events tell of, in order."""
    found: list[AttemptSpan] = []
    for event in events:
        if event.event in _BEGINS:
            worker = event.detail.get("worker")
            found.append(AttemptSpan(event.epoch, worker, event.at, None, "running"))
        elif event.event in _ENDS and found and found[-1].end is None:
            last = found[-1]
            if last.epoch == event.epoch:
                outcome = _ENDS[Event(event.event)]
                found[-1] = AttemptSpan(last.epoch, last.worker, last.begin, event.at, outcome)
    return found


def gaps_of(attempts: Sequence[AttemptSpan]) -> list[Gap]:
    """Return the times in which a run had lost its worker and had no other yet."""
    return [
        Gap(before.end, after.begin)
        for before, after in pairwise(attempts)
        if before.outcome == "lost" and before.end is not None
    ]


def draw(run: Run, events: Sequence[RunEvent], now: datetime) -> Drawing | None:
    """Draw a run; None if it has had no attempt.

    Args:
        run: with its sources.
        events: of the run, in order.
        now: where an attempt that goes on ends.
    """
    attempts = attempts_of(events)
    if not attempts:
        return None
    begin = attempts[0].begin
    scale = _Scale(begin, max(attempts[-1].end or now, begin + timedelta(milliseconds=10)))
    workers = list(dict.fromkeys(each.worker for each in attempts))
    lane = {worker: 24.0 + number * _LANE for number, worker in enumerate(workers)}
    bars, gaps, summary = [], [], []
    for each in attempts:
        stop = each.end or now
        title = (
            f"attempt under epoch {each.epoch} on worker {each.worker}: {each.outcome},"
            f" {span((stop - each.begin).total_seconds())}"
        )
        summary.append(title)
        bars += scale.bar(
            each.begin, stop, y=lane[each.worker], height=_BAR, kind=each.outcome, title=title
        )
    for gap in gaps_of(attempts):
        title = f"no worker for {gap.seconds:.2f} s, from the loss to the next attempt"
        summary.append(title)
        gaps += scale.bar(
            gap.begin, gap.end, y=20.0, height=len(workers) * _LANE - 10, kind="gap", title=title
        )
    bars += _sources(run, attempts[-1], now, scale, lane[attempts[-1].worker] + _BAR + 2)
    return Drawing(
        width=WIDTH,
        height=24.0 + len(workers) * _LANE + 20,
        begin=scale.begin,
        end=scale.end,
        lanes=[Mark(0, lane[each] + 12, f"worker {each}") for each in workers],
        bars=bars,
        gaps=gaps,
        ticks=scale.ticks(24.0 + len(workers) * _LANE + 14),
        summary=summary,
    )


class _Scale:
    def __init__(self, begin: datetime, end: datetime) -> None:
        self.begin, self.end = begin, end
        self._seconds = (end - begin).total_seconds()

    def x(self, at: datetime) -> float:
        share = (at - self.begin).total_seconds() / self._seconds
        return _LABELS + (WIDTH - _LABELS) * min(max(share, 0.0), 1.0)

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
        if end < self.begin or begin > self.end:
            return []
        left, right = self.x(begin), self.x(end)
        width = max(right - left, _SHORTEST)
        return [Bar(round(left, 2), y, round(width, 2), height, kind, title)]

    def ticks(self, y: float) -> list[Mark]:
        step = timedelta(seconds=self._seconds / _TICKS)
        return [
            Mark(
                round(self.x(self.begin + number * step), 2),
                y,
                f"+{span((number * step).total_seconds())}",
            )
            for number in range(_TICKS)
        ]


def _sources(run: Run, attempt: AttemptSpan, now: datetime, scale: _Scale, top: float) -> list[Bar]:
    """Return a bar for each source in the latest attempt, of which alone the times are known."""
    found: list[Bar] = []
    shown = [each for each in run.progress if each.seconds is not None]
    height = min(_SOURCE, (_LANE - _BAR - 6) / max(len(shown), 1))
    for number, each in enumerate(shown):
        assert each.seconds is not None
        end = each.finished_at or attempt.end or now
        begin = end - timedelta(seconds=each.seconds)
        if begin < attempt.begin - timedelta(seconds=1):
            continue  # an earlier attempt did it
        title = f"{each.source}: {each.state}, {span(each.seconds)}"
        found += scale.bar(
            begin,
            end,
            y=top + number * height,
            height=height * 0.8,
            kind=each.state,
            title=title,
        )
    return found
