"""Records upstream terms that this version does not know, so that operators notice new ones.

A source that classifies terms counts each unknown one in the field ``unknown_terms`` of its
``data``.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

MAX_TERMS = 20
"""Maximum number of terms in an event: the most frequent ones."""

_NOTE = text(
    """
    WITH terms AS (
      SELECT t.key AS term, sum(CAST(t.value AS bigint)) AS count
      FROM annotations a CROSS JOIN LATERAL jsonb_each_text(
        CASE WHEN jsonb_typeof(a.data -> 'unknown_terms') = 'object'
        THEN a.data -> 'unknown_terms' ELSE '{}' END) t
      WHERE a.checked_run_id = :run_id AND a.source = :source AND a.checked_state = 'found'
      GROUP BY t.key ORDER BY 2 DESC, 1 LIMIT :most)
    INSERT INTO run_events (run_id, epoch, event, detail)
    SELECT CAST(:run_id AS bigint), CAST(:epoch AS integer), 'unknown terms',
      jsonb_build_object('source', CAST(:source AS text), 'terms', jsonb_object_agg(term, count))
    FROM terms HAVING count(*) > 0
    RETURNING detail -> 'terms'
    """
)


async def note_unknown_terms(
    connection: AsyncConnection, run_id: int, epoch: int, source: str
) -> dict[str, int]:
    """Count the unknown terms in a run's answers and record them as an event.

    A variant counts once for each of its genes.

    Args:
        connection: the connection of the attempt's transaction.
        run_id: the run.
        epoch: the epoch of the attempt.
        source: the name of the source.

    Returns:
        The counts by term, the most frequent first; empty when all are known.
    """
    values = {"run_id": run_id, "epoch": epoch, "source": source, "most": MAX_TERMS}
    result = await connection.execute(_NOTE, values)
    found: dict[str, int] = result.scalar_one_or_none() or {}
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))
