"""The counters of the metrics over all runs, including runs that were removed.

A Prometheus counter must never decrease. So only :func:`remove` removes runs: it adds their events
to `event_totals` in the same transaction. Counts by source are added to `source_totals` with each
commit, and do not depend on the stored runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs.buckets import COMMITS, EVENTS, Histogram
from app.core.runs.events import Event

ENDS = (
    Event.SUCCEEDED,
    Event.FAILED,
    Event.ATTEMPT_FAILED,
    Event.TIMED_OUT,
    Event.WAITING,
    Event.INTERRUPTED,
    Event.LOST,
    Event.RELEASED,
    Event.CANCELLED,
)
"""The events that end an attempt. `run_events.microseconds` is then its duration."""

# durations are whole microseconds, because a sum of fractions depends on their order
_MICROSECONDS = 1_000_000
_BOUNDS = {"bounds": [-float(bound * _MICROSECONDS) for bound in reversed(EVENTS)]}

# `width_bucket` excludes the upper bound of a bucket, so it is asked about negative numbers
_EVENTS = text(
    """
    SELECT event, bucket, sum(events) AS events, sum(microseconds) AS microseconds FROM (
      SELECT event,
        CASE WHEN microseconds IS NULL THEN -1
          ELSE cardinality(CAST(:bounds AS float8[]))
            - width_bucket(CAST(-microseconds AS float8), CAST(:bounds AS float8[]))
          END AS bucket,
        count(*) AS events, sum(microseconds) AS microseconds
      FROM run_events GROUP BY 1, 2
      UNION ALL
      SELECT event, bucket, events, microseconds FROM event_totals
    ) counted GROUP BY event, bucket
    """
)

# recording an event locks its run, so after this lock no event can be missed
_LOCK = text(
    """
    SELECT id FROM runs
    WHERE id = ANY(:run_ids) AND state IN ('succeeded', 'failed', 'cancelled')
    ORDER BY id FOR UPDATE SKIP LOCKED
    """
)

# the buckets are those of the statement above
_REMOVE = text(
    """
    WITH events AS (
      INSERT INTO event_totals AS total (event, bucket, events, microseconds)
      SELECT event,
        CASE WHEN microseconds IS NULL THEN -1
          ELSE cardinality(CAST(:bounds AS float8[]))
            - width_bucket(CAST(-microseconds AS float8), CAST(:bounds AS float8[]))
          END AS bucket,
        count(*), coalesce(sum(microseconds), 0)
      FROM run_events WHERE run_id = ANY(:run_ids) GROUP BY 1, 2 ORDER BY 1, 2
      ON CONFLICT (event, bucket) DO UPDATE SET events = total.events + excluded.events,
        microseconds = total.microseconds + excluded.microseconds
    ), successes AS (
      INSERT INTO source_totals AS total (source, succeeded_at)
      SELECT source, max(finished_at) FROM run_sources
      WHERE run_id = ANY(:run_ids) AND state = 'succeeded' GROUP BY source ORDER BY source
      ON CONFLICT (source) DO UPDATE SET
        succeeded_at = greatest(total.succeeded_at, excluded.succeeded_at)
    )
    DELETE FROM runs WHERE id = ANY(:run_ids)
    """
)


_SOURCES = text(
    """
    SELECT source, requests, rate_limited, budget_seconds, bytes_received, commits, commit_seconds
    FROM source_totals
    """
)


@dataclass(frozen=True, slots=True)
class SourceTotals:
    """The totals of a source over all runs, including runs that were removed.

    Attributes:
        requests: the number of requests to the upstream.
        rate_limited: the number of responses with status 429.
        budget_seconds: the total time that requests waited for the request budget, in seconds.
        bytes_received: the size of all response bodies as transferred, in bytes.
        commits: the durations of the commits of batches.
    """

    requests: int = 0
    rate_limited: int = 0
    budget_seconds: float = 0.0
    bytes_received: int = 0
    commits: Histogram = field(default_factory=lambda: Histogram(COMMITS))


@dataclass(frozen=True, slots=True)
class EventTotals:
    """The events of all runs, including runs that were removed.

    Attributes:
        counts: the number of events, by event.
        durations: the durations that end with an event, by event.
    """

    counts: Mapping[str, int]
    durations: Mapping[str, Histogram]


NO_EVENTS = EventTotals(dict.fromkeys(Event, 0), {event: Histogram(EVENTS) for event in Event})
"""The totals of an empty database."""


async def event_totals(connection: AsyncConnection) -> EventTotals:
    """Return the totals of events, with a single statement, so that a removal changes no number."""
    counts: dict[str, int] = dict.fromkeys(Event, 0)
    buckets = {event: [0] * (len(EVENTS) + 1) for event in counts}
    microseconds = dict.fromkeys(counts, 0)
    for row in await connection.execute(_EVENTS, _BOUNDS):
        # rows of another version's events are skipped
        if row.event in counts:
            counts[row.event] += int(row.events)
            if row.bucket >= 0:
                buckets[row.event][row.bucket] += int(row.events)
                microseconds[row.event] += int(row.microseconds)
    return EventTotals(
        counts,
        {
            event: Histogram(EVENTS, buckets[event], microseconds[event] / _MICROSECONDS)
            for event in counts
        },
    )


async def source_totals(connection: AsyncConnection) -> dict[str, SourceTotals]:
    """Return the totals of each source that any run has begun."""
    return {
        row.source: SourceTotals(
            row.requests,
            row.rate_limited,
            row.budget_seconds,
            row.bytes_received,
            Histogram(COMMITS, row.commits, row.commit_seconds),
        )
        for row in await connection.execute(_SOURCES)
    }


async def remove(connection: AsyncConnection, run_ids: Sequence[int]) -> list[int]:
    """Remove runs with their progress and events, and keep their share of the counters.

    The caller ensures that nothing else refers to the runs.

    Args:
        connection: in a transaction.
        run_ids: the runs. A run that has not ended, or that another transaction has locked, is
            skipped.

    Returns:
        The ids of the runs that were removed.
    """
    ended = list((await connection.execute(_LOCK, {"run_ids": list(run_ids)})).scalars())
    if ended:
        await connection.execute(_REMOVE, {"run_ids": ended, **_BOUNDS})
    return ended
