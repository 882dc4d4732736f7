"""Finds the runs that annotations and their history refer to."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A single statement has a consistent view, which matters because a replaced answer moves from one
# table to another. Each part finds the first referenced run at or after an id. PostgreSQL then uses
# an index even if its statistics suggest that any row would match. Two of the indexes omit the rows
# that the first one contains.
_NAMED = text(
    """
    SELECT r.id FROM unnest(CAST(:ids AS bigint[])) AS r (id) WHERE r.id IN (
      (SELECT min(checked_run_id) FROM annotations WHERE checked_run_id >= r.id),
      (SELECT min(fetched_run_id) FROM annotations WHERE fetched_run_id >= r.id
         AND fetched_run_id IS DISTINCT FROM checked_run_id),
      (SELECT min(changed_run_id) FROM annotations WHERE changed_run_id >= r.id
         AND changed_run_id IS DISTINCT FROM checked_run_id),
      (SELECT min(run_id) FROM annotation_history WHERE run_id >= r.id),
      (SELECT min(fetched_run_id) FROM annotation_history WHERE fetched_run_id >= r.id),
      (SELECT min(changed_run_id) FROM annotation_history WHERE changed_run_id >= r.id),
      (SELECT min(run_id) FROM gene_events WHERE run_id >= r.id))
      OR EXISTS (SELECT FROM accepted_files f WHERE f.accepted_run_id = r.id)
    """
)


async def list_named(connection: AsyncConnection, run_ids: Collection[int]) -> Collection[int]:
    """Return the runs that an answer, an event of a gene or an accepted file refers to."""
    return (await connection.execute(_NAMED, {"ids": list(run_ids)})).scalars().all()
