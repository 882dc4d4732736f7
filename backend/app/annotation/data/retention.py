"""Removes former answers, old rows and unused files after the times in the settings.

A former answer that was valid at a snapshot is kept.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.file_retention import Files
from app.annotation.data.run_names import list_named
from app.annotation.settings import Settings
from app.core.retention.chores import retention as of_rows
from app.core.workers.chores import Chore, LocalChore

REMOVAL_INTERVAL = 3_600.0
"""Seconds between the end of one pass through the history and the start of the next."""

BATCH = 2_000
"""The number of former answers examined in one transaction. Those that ended at the same time as
the last one are included."""

# Retention removes only old answers, so a snapshot that is being taken cannot need them.
_REMOVE = text(
    """
    WITH ended AS MATERIALIZED (
      SELECT gene_id, source, valid_from, valid_to FROM annotation_history
      WHERE valid_to < now() - make_interval(days => :days)
        AND (CAST(:after AS timestamptz) IS NULL OR valid_to > :after)
      ORDER BY valid_to FETCH FIRST :batch ROWS WITH TIES
    ),
    gone AS (
      DELETE FROM annotation_history h USING ended e
      WHERE (h.gene_id, h.source, h.valid_from) = (e.gene_id, e.source, e.valid_from)
        AND NOT EXISTS (SELECT FROM snapshots s WHERE s.at >= h.valid_from AND s.at < h.valid_to)
      RETURNING h.source, h.valid_to
    ),
    noted AS (
      INSERT INTO history_horizon AS known (source, complete_since)
      SELECT source, max(valid_to) FROM gone GROUP BY source ORDER BY source
      ON CONFLICT (source) DO UPDATE
        SET complete_since = greatest(known.complete_since, excluded.complete_since)
    )
    SELECT (SELECT max(valid_to) FROM ended) AS last, (SELECT count(*) FROM gone) AS removed
    """
)


class Retention:
    """Removes former answers batch by batch, the oldest first.

    The same transaction records in ``history_horizon`` since when the history is complete.

    Args:
        days: the days after which a former answer is removed.
    """

    def __init__(self, days: int) -> None:
        self._days = days
        # the position in the history, so that a batch skips the kept answers before it
        self._after: datetime | None = None

    async def remove(self, connection: AsyncConnection) -> bool:
        """Remove a batch, and return whether there are more answers to examine."""
        values = {"days": self._days, "after": self._after, "batch": BATCH}
        row = (await connection.execute(_REMOVE, values)).one()
        self._after = row.last
        return row.last is not None


def retention(settings: Settings) -> Sequence[Chore | LocalChore]:
    """Return the chores of retention."""
    chores: list[Chore | LocalChore] = []
    if settings.history_days is not None:
        remove = Retention(settings.history_days).remove
        chores.append(Chore("the retention of the history", REMOVAL_INTERVAL, remove))
    return (
        *chores,
        *of_rows(settings, list_named),
        LocalChore("the retention of files", REMOVAL_INTERVAL, Files(settings).remove),
    )
