"""Which runs the annotations and their history refer to."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# One statement sees one state: an answer that is replaced meanwhile goes from one table to another.
# Each part asks for the first run from this one on that is named. PostgreSQL reads that from an
# index, also where its statistics make it believe that any row of the table would do. Two indexes
# leave out what the first one has.
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
    """Return those of some runs that an answer, an event of a gene or an accepted file names."""
    return (await connection.execute(_NAMED, {"ids": list(run_ids)})).scalars().all()
