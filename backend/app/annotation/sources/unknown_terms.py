"""Words of an upstream that are not known here, so that the next new one is noticed.

A source that sorts an upstream's words into classes of its own says in ``data`` which it could not
sort: ``unknown_terms``, counts by word.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

EVENT = "unknown_terms"
"""The run's event that tells them, once a source."""

MAX_TERMS = 20
"""Words that are told, the most frequent ones."""

_NOTE = text(
    f"""
    WITH terms AS (
      SELECT t.key AS term, sum(CAST(t.value AS bigint)) AS count
      FROM annotations a CROSS JOIN LATERAL jsonb_each_text(
        CASE WHEN jsonb_typeof(a.data -> 'unknown_terms') = 'object'
        THEN a.data -> 'unknown_terms' ELSE '{{}}' END) t
      WHERE a.checked_run_id = :run_id AND a.source = :source AND a.checked_state = 'found'
      GROUP BY t.key ORDER BY 2 DESC, 1 LIMIT {MAX_TERMS})
    INSERT INTO run_events (run_id, epoch, event, detail)
    SELECT CAST(:run_id AS bigint), CAST(:epoch AS integer), '{EVENT}',
      jsonb_build_object('source', CAST(:source AS text), 'terms', jsonb_object_agg(term, count))
    FROM terms HAVING count(*) > 0
    RETURNING detail -> 'terms'
    """
)


async def note_unknown_terms(
    connection: AsyncConnection, run_id: int, epoch: int, source: str
) -> dict[str, int]:
    """Count the words in a run's answers that are not known here, and note them as an event.

    A variant counts once for each of its genes.

    Args:
        connection: in the attempt's transaction.
        run_id: the run.
        epoch: of the attempt.
        source: its name.

    Returns:
        The counts by word, the most frequent first; empty when all are known.
    """
    result = await connection.execute(_NOTE, {"run_id": run_id, "epoch": epoch, "source": source})
    found: dict[str, int] = result.scalar_one_or_none() or {}
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))
