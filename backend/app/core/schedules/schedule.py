"""Defines a schedule, and decides which of its ticks are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.runs.request import RunRequest
from app.core.schedules.cron import next_tick, ticks_between

KINDS = ("cron", "freshness", "release")
OVERLAPS = ("skip", "queue")
OUTCOMES = (
    *("ran", "skipped", "missed", "refused", "queued"),
    *("waiting", "running", "done", "failed"),
)

DEFAULT_CATCH_UP = timedelta(days=1)

ON_TIME_WITHIN = timedelta(minutes=1)
"""A tick that is late by less counts as on time, and is done without catch-up."""

MAX_MISSED = 100
"""The maximum number of missed ticks that are recorded at a time. The latest ones are recorded."""

MAX_POLL_INTERVAL = timedelta(hours=1)
"""The longest time between two checks of the age of the data while they are too old."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A row of ``schedules``.

    Attributes:
        id: the id of the row.
        name: the name that a person gave it.
        kind: cron (at fixed times), freshness (when the data are older than ``every``) or release
            (polls every ``every`` for a new release).
        cron: the five fields of a cron schedule.
        zone: the time zone of the fields.
        every: the period; None for a cron schedule.
        sources: the sources of its runs; None means all.
        mode: the mode of its runs.
        overlap: whether a tick is skipped or queued while a run of these sources is active.
        catch_up: the time for which a missed tick is caught up.
        next_at: the next tick, or the next check of the age of the data.
        action: the action: ``refresh`` creates a run; see :mod:`.actions`.
    """

    id: int
    name: str
    kind: str
    cron: str | None
    zone: str
    every: timedelta | None
    sources: tuple[str, ...] | None
    mode: str
    overlap: str
    catch_up: timedelta
    next_at: datetime
    action: str = "refresh"

    @property
    def request(self) -> RunRequest:
        """The request of its runs."""
        return RunRequest.of(self.sources, self.mode)

    def first_after(self, moment: datetime) -> datetime:
        """Return the first tick after a moment; for a freshness schedule, the moment itself."""
        if self.kind == "cron":
            assert self.cron is not None
            return next_tick(self.cron, self.zone, moment)
        assert self.every is not None
        return moment + self.every if self.kind == "release" else moment


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision about a schedule that is due.

    Attributes:
        tick: the tick to do now; None for none.
        missed: earlier ticks that are not caught up.
        next_at: the next tick, or the next check.
    """

    tick: datetime | None
    missed: Sequence[datetime]
    next_at: datetime


def decide(schedule: Schedule, now: datetime, oldest: datetime | None) -> Decision:
    """Decide which tick of a schedule to do.

    Args:
        schedule: a schedule whose ``next_at`` has passed.
        now: PostgreSQL's time.
        oldest: the time of the refresh of its least recently refreshed source; None if a source was
            never refreshed.
    """
    if schedule.kind == "cron":
        return _decide_cron(schedule, now)
    assert schedule.every is not None
    if schedule.kind == "release":
        missed = (now - schedule.next_at) // schedule.every
        tick = schedule.next_at + missed * schedule.every
        return Decision(tick, (), tick + schedule.every)
    if oldest is not None and oldest + schedule.every > now:
        return Decision(None, (), oldest + schedule.every)
    return Decision(schedule.next_at, (), now + min(schedule.every / 10, MAX_POLL_INTERVAL))


def _decide_cron(schedule: Schedule, now: datetime) -> Decision:
    assert schedule.cron is not None
    due = ticks_between(schedule.cron, schedule.zone, schedule.next_at, now, MAX_MISSED + 1)
    *missed, latest = due
    upcoming = next_tick(schedule.cron, schedule.zone, now)
    if now - latest > max(schedule.catch_up, ON_TIME_WITHIN):
        return Decision(None, due[-MAX_MISSED:], upcoming)
    return Decision(latest, missed, upcoming)
