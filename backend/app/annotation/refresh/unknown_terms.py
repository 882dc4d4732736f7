"""Records the terms of an upstream that this version does not know, so that new ones are noticed.

A source that sorts terms into classes counts the unknown ones in the ``unknown_terms`` of its
``data``, by term.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

EVENT = "unknown_terms"
"""The event of the run that lists the unknown terms, once for each source."""

MAX_TERMS = 20
"""The most terms in an event. It lists the most frequent ones."""

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
    SELECT CAST(:run_id AS bigint), CAST(:epoch AS integer), CAST(:event AS text),
      jsonb_build_object('source', CAST(:source AS text), 'terms', jsonb_object_agg(term, count))
    FROM terms HAVING count(*) > 0
    RETURNING detail -> 'terms'
    """
)


async def note_unknown_terms(
    connection: AsyncConnection, run_id: int, epoch: int, source: str
) -> dict[str, int]:
    """Count the unknown terms in a run's answers, and record them as an event.

    A variant counts once for each of its genes.

    Args:
        connection: in the attempt's transaction.
        run_id: the run.
        epoch: of the attempt.
        source: its name.

    Returns:
        The counts by term, the most frequent first; empty when all are known.
    """
    values = {"run_id": run_id, "epoch": epoch, "source": source, "event": EVENT, "most": MAX_TERMS}
    result = await connection.execute(_NOTE, values)
    found: dict[str, int] = result.scalar_one_or_none() or {}
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))
