"""Filters for lists of runs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from app.core.errors import WrongUse
from app.core.text.nearest import did_you_mean
from app.core.text.times import read_time
from app.db.text import storable

STATES = ("queued", "running", "succeeded", "failed", "cancelled")

A_TIME = "a day (2026-03-31) or a time with its zone (2026-03-31T18:00:00Z)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """A filter for a list of runs. An attribute that is None does not limit the list.

    Attributes:
        states: runs in any of these states.
        source: runs that cover this source.
        error: runs with this text in their error or in that of a source; the case is ignored.
        since: runs that were created at this time or later.
        until: runs that were created before this time.
        actor: runs on which this actor acted, see :func:`~.actors.is_named`.
    """

    states: Collection[str] | None = None
    source: str | None = None
    error: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None


ALL_RUNS = RunFilter()

ACTIVE_RUNS = RunFilter(states=("queued", "running"))


def read_filter(
    *,
    states: Collection[str] = (),
    source: str | None = None,
    error: str | None = None,
    since: str | None = None,
    until: str | None = None,
    actor: str | None = None,
) -> RunFilter:
    """Build a filter from the values that a user typed. Empty values do not limit the list.

    Raises:
        WrongUse: a state is unknown, or a time cannot be read.
    """
    for state in states:
        if state not in STATES:
            near = did_you_mean(state, STATES)
            raise WrongUse(f"unknown state {state!r}{near}", allowed=", ".join(STATES))
    return RunFilter(
        states=states or None,
        source=storable(source) if source else None,
        error=storable(error) if error else None,
        since=_begin("since", since),
        until=_begin("until", until),
        actor=storable(actor) if actor else None,
    )


def _begin(name: str, value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        return read_time(value)[0]
    except ValueError as error:
        raise WrongUse(f"{name} is {value!r}, {error}", allowed=A_TIME) from None
