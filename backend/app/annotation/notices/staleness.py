"""Finds sources with stale answers, in a sample of the genes."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from app.core.text.words import time_span

if TYPE_CHECKING:
    from app.core.notify.incidents import Watch

SAMPLE_GENES = 200
"""The number of genes in the sample, spread evenly over all genes."""

MAX_OLD_SHARE = 0.05
"""The share of genes with old or missing answers that is considered normal."""

GRACE_SECONDS = 3_600.0
"""Seconds that answers may be overdue without a notification, because a scheduled run takes some
time."""

# one row for each gene of the sample and each source, read by index lookups only
STALE = """
    WITH bounds AS (SELECT min(id) AS first, max(id) AS last FROM genes),
    sample AS (
      SELECT DISTINCT g.id FROM bounds, generate_series(0, :sample - 1) AS i
      CROSS JOIN LATERAL (
        SELECT id FROM genes WHERE id >= first + (last - first) * i / greatest(:sample - 1, 1)
          AND withdrawn_at IS NULL
        ORDER BY id LIMIT 1) g)
    SELECT w.source, count(*) AS genes,
      count(*) FILTER (WHERE a.fetched_at IS NULL) AS missing,
      count(*) FILTER (WHERE
        -- an answer whose release is still the current one is confirmed, not fetched again
        CASE WHEN a.checked_state = 'unknown' THEN a.fetched_at ELSE a.checked_at END
          < now() - make_interval(secs => w.freshness)
        OR a.checked_at > now() + interval '1 minute') AS stale,
      (SELECT run_id FROM run_sources s WHERE s.source = w.source AND s.active) AS run,
      now() AS now
    FROM sample CROSS JOIN unnest(CAST(:sources AS text[]), CAST(:freshness AS float8[]))
      AS w(source, freshness)
    LEFT JOIN annotations a ON a.gene_id = sample.id AND a.source = w.source
    GROUP BY w.source ORDER BY w.source
"""
"""The statement as plain text, because the doctor must start fast."""


def stale_watch(freshness: Mapping[str, float], titles: Mapping[str, str]) -> "Watch":
    """Return the watch for stale data.

    The incident of a source that is being refreshed is neither opened nor closed.

    Args:
        freshness: the seconds that answers stay fresh, by source.
        titles: the titles of the sources, for people.
    """
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import AsyncConnection

    from app.core.notify.incidents import Observed, Watch
    from app.core.notify.message import Kind
    from app.core.notify.notice import Notice

    statement = text(STALE)
    values = {
        "sample": SAMPLE_GENES,
        "sources": list(freshness),
        "freshness": [seconds + GRACE_SECONDS for seconds in freshness.values()],
    }

    def notice(source: str, share: float, now: datetime) -> Notice:
        limit = time_span(freshness[source])
        return Notice(
            kind=Kind.DATA_STALE,
            at=now,
            title=f"The data of {titles[source]} are stale",
            text=f"About {share:.0%} of the genes have answers of {titles[source]} that were not"
            f" checked for more than {limit}. No run is refreshing them.\n"
            f"To refresh them: just annotate {source}\n"
            "To refresh them automatically: just schedules --suggest",
            detail={"source": source, "share": round(share, 3), "freshness": freshness[source]},
            subject=source,
        )

    async def observe(connection: AsyncConnection) -> Observed:
        rows = (await connection.execute(statement, values)).all()
        found = [
            notice(row.source, row.stale / row.genes, row.now)
            for row in rows
            if row.run is None and row.stale > MAX_OLD_SHARE * row.genes
        ]
        return Observed(found, {row.source for row in rows if row.run is not None})

    return Watch(Kind.DATA_STALE, observe)
