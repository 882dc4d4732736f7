"""Removes runs that ended long ago, with their sources and events, if nothing needs them.

A run stays while something refers to it or depends on it:

- an annotation, a former answer, or another reference that the `Named` function knows,
- a tick, a schedule whose tick is queued behind it, or an open incident,
- the latest run of a request, which ``resume=True`` may reopen and which the doctor checks,
- the latest runs of a source: its last success, from which freshness is computed, the last run that
  fetched something, from which the duration of the next one is estimated, and the last run that
  determines whether the source is held.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs import totals

BATCH = 500
"""The maximum number of ended runs that one transaction handles."""

Named = Callable[[AsyncConnection, Collection[int]], Awaitable[Collection[int]]]
"""Returns the runs among the given ones to which data refer, such as annotations. It must read a
single state of the database."""

_OLD = text(
    """
    SELECT id FROM runs
    WHERE id > :after AND state IN ('succeeded', 'failed', 'cancelled')
      AND finished_at < now() - make_interval(days => :days)
    ORDER BY id LIMIT :most
    """
)

# The latest runs of a source are read backwards from its newest one, so their number does not
# matter. A failed run may be reopened after later runs, so that its success is the latest by time:
# a success stays unless the newest successful run also succeeded later.
_UNNEEDED = text(
    """
    WITH latest AS MATERIALIZED (
      SELECT max(id) AS id FROM runs WHERE state <> 'cancelled'
      GROUP BY mode, sources, genes HAVING genes IS NULL OR bool_or(state = 'failed')
      UNION
      SELECT max(id) FROM runs WHERE state IN ('failed', 'cancelled') GROUP BY mode, sources, genes
    ), covered AS (
      SELECT DISTINCT source FROM run_sources WHERE run_id = ANY(CAST(:ids AS bigint[]))
    ), last AS MATERIALIZED (
      SELECT c.source, ended.run_id AS ended, fetched.run_id AS fetched,
        success.run_id AS success, success.finished_at AS success_at,
        whole.run_id AS whole, whole.finished_at AS whole_at
      FROM covered c LEFT JOIN LATERAL (
        SELECT run_id FROM run_sources s
        WHERE s.source = c.source AND s.state IN ('succeeded', 'failed', 'held')
        ORDER BY run_id DESC LIMIT 1
      ) ended ON true LEFT JOIN LATERAL (
        SELECT run_id FROM run_sources s
        WHERE s.source = c.source AND s.state = 'succeeded' AND s.done > s.confirmed
          AND s.finished_at > s.attempt_started_at
        ORDER BY run_id DESC LIMIT 1
      ) fetched ON true LEFT JOIN LATERAL (
        SELECT run_id, finished_at FROM run_sources s
        WHERE s.source = c.source AND s.state = 'succeeded'
        ORDER BY run_id DESC LIMIT 1
      ) success ON true LEFT JOIN LATERAL (
        SELECT s.run_id, s.finished_at FROM run_sources s JOIN runs r ON r.id = s.run_id
        WHERE s.source = c.source AND s.state = 'succeeded' AND r.genes IS NULL
        ORDER BY s.run_id DESC LIMIT 1
      ) whole ON true
    )
    SELECT r.id FROM runs r
    WHERE r.id = ANY(CAST(:ids AS bigint[]))
      AND NOT EXISTS (SELECT FROM latest l WHERE l.id = r.id)
      AND NOT EXISTS (SELECT FROM schedule_ticks t WHERE t.run_id = r.id)
      AND NOT EXISTS (SELECT FROM schedules s WHERE s.queued_behind = r.id)
      AND NOT EXISTS (SELECT FROM incidents i WHERE i.run_id = r.id AND i.closed_at IS NULL)
      AND NOT EXISTS (
        SELECT FROM run_sources s JOIN last ON last.source = s.source
        WHERE s.run_id = r.id AND s.run_id = ANY(CAST(:ids AS bigint[]))
          AND (s.run_id IN (last.ended, last.fetched)
          OR (s.state = 'succeeded' AND NOT coalesce(CASE WHEN r.genes IS NULL
            THEN last.whole > s.run_id AND last.whole_at >= s.finished_at
            ELSE last.success > s.run_id AND last.success_at >= s.finished_at END, false))))
    ORDER BY r.id
    """
)

# the age is checked again, because a run may have been reopened and have ended again meanwhile
_LOCK = text(
    """
    SELECT id FROM runs
    WHERE id = ANY(CAST(:ids AS bigint[])) AND state IN ('succeeded', 'failed', 'cancelled')
      AND finished_at < now() - make_interval(days => :days)
    ORDER BY id FOR UPDATE SKIP LOCKED
    """
)


class OldRuns:
    """Removes runs in batches, the oldest first.

    Args:
        days: days after its end until a run can be removed.
        named: returns the runs that must stay.
    """

    def __init__(self, days: int, named: Named) -> None:
        self._days = days
        self._named = named
        # the cursor, so that a batch does not read again the runs that stay
        self._after = 0

    async def remove(self, connection: AsyncConnection) -> bool:
        """Remove a batch, and return whether there may be more old runs."""
        old = await list_old(connection, self._days, after=self._after, limit=BATCH)
        if unneeded := await list_unneeded(connection, old, self._named):
            values = {"ids": unneeded, "days": self._days}
            ended = (await connection.execute(_LOCK, values)).scalars().all()
            await totals.remove(connection, ended)
        more = len(old) == BATCH
        self._after = old[-1] if more else 0
        return more


async def list_old(
    connection: AsyncConnection, days: int, *, after: int = 0, limit: int
) -> Sequence[int]:
    """Return the ids of the first runs that ended more than some days ago.

    Args:
        connection: to read from.
        days: days since the end of the run.
        after: only runs with a greater id.
        limit: how many.
    """
    values = {"days": days, "after": after, "most": limit}
    return (await connection.execute(_OLD, values)).scalars().all()


async def list_unneeded(
    connection: AsyncConnection, run_ids: Collection[int], named: Named
) -> list[int]:
    """Return the runs among the given ended ones that nothing needs."""
    if not run_ids:
        return []
    unneeded = (await connection.execute(_UNNEEDED, {"ids": list(run_ids)})).scalars().all()
    needed = set(await named(connection, unneeded)) if unneeded else set()
    return [run_id for run_id in unneeded if run_id not in needed]
