from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from app.core.runs.events import Event
from app.core.runs.parts import SourcePart
from app.core.runs.shapes import RunEvent

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
        end: the end; None while the attempt is running.
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
        """The seconds without a worker."""
        return (self.end - self.begin).total_seconds()


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """The time that an attempt spent with a source.

    Attributes:
        state: the outcome of the source, or of the attempt if it ended first.
    """

    source: str
    begin: datetime
    end: datetime
    state: str


def attempts_of(events: Sequence[RunEvent]) -> list[AttemptSpan]:
    """Return the attempts that the events describe, in order."""
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
    """Return the times between the loss of a worker and the next attempt."""
    return [
        Gap(before.end, after.begin)
        for before, after in pairwise(attempts)
        if before.outcome == "lost" and before.end is not None
    ]


def sources_of(
    attempt: AttemptSpan, parts: Sequence[SourcePart], now: datetime
) -> list[SourceSpan]:
    """Return the sources that began in an attempt, in order.

    A source that was still running when the attempt ended, ended with it.

    Args:
        attempt: the attempt.
        parts: the periods of sources in attempts, in order.
        now: the end of a source that is still running.
    """
    last = attempt.end or now
    first = bisect_left(parts, attempt.begin, key=_begin)
    return [
        SourceSpan(part.source, part.begin, part.end, part.state)
        if part.end is not None and part.end <= last
        else SourceSpan(part.source, part.begin, last, attempt.outcome)
        for part in parts[first : bisect_right(parts, last, lo=first, key=_begin)]
    ]


def _begin(part: SourcePart) -> datetime:
    return part.begin
