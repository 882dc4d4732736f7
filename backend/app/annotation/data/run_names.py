"""Which runs the annotations and their history refer to."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# One statement sees one state: an answer that is replaced meanwhile goes from one table to another.
# The limits make PostgreSQL look each run up in an index.
_NAMED = text(
    """
    SELECT r.id FROM unnest(CAST(:ids AS bigint[])) AS r (id) CROSS JOIN LATERAL (
      (SELECT FROM annotations WHERE checked_run_id = r.id LIMIT 1) UNION ALL
      (SELECT FROM annotations WHERE fetched_run_id = r.id
         AND fetched_run_id IS DISTINCT FROM checked_run_id LIMIT 1) UNION ALL
      (SELECT FROM annotations WHERE changed_run_id = r.id
         AND changed_run_id IS DISTINCT FROM checked_run_id LIMIT 1) UNION ALL
      (SELECT FROM annotation_history WHERE run_id = r.id LIMIT 1) UNION ALL
      (SELECT FROM annotation_history WHERE fetched_run_id = r.id LIMIT 1) UNION ALL
      (SELECT FROM annotation_history WHERE changed_run_id = r.id LIMIT 1) UNION ALL
      (SELECT FROM gene_events WHERE run_id = r.id LIMIT 1) UNION ALL
      (SELECT FROM accepted_files WHERE accepted_run_id = r.id LIMIT 1)
      LIMIT 1) named
    """
)


async def list_named(connection: AsyncConnection, run_ids: Collection[int]) -> Collection[int]:
    """Return those of some runs that an answer, an event of a gene or an accepted file names."""
    return (await connection.execute(_NAMED, {"ids": list(run_ids)})).scalars().all()
