"""Records that a release of a source has arrived, as an event of the run that refreshed it."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A release is new if no answer of it existed when a run last refreshed all genes. Answers of a new
# parser version are not a new release, and neither are a source's first answers.
_RECORD = text(
    """
    WITH former AS (
      SELECT max(s.finished_at) AS at FROM run_sources s JOIN runs r ON r.id = s.run_id
      WHERE s.source = :source AND s.state = 'succeeded' AND r.genes IS NULL
        AND s.run_id <> :run_id
    ), arrived AS (
      SELECT o.release FROM origins o CROSS JOIN former
      WHERE o.source = :source AND o.release IS NOT NULL AND o.first_seen_at > former.at
        AND NOT EXISTS (SELECT FROM origins known
          WHERE known.source = :source AND known.first_seen_at <= former.at
            AND (known.marker = o.marker OR known.release = o.release))
      ORDER BY o.first_seen_at DESC, o.id DESC LIMIT 1
    )
    INSERT INTO run_events (run_id, epoch, event, detail)
    SELECT r.id, :epoch, 'release arrived', jsonb_build_object(
      'source', CAST(:source AS text), 'release', arrived.release, 'since', former.at)
    FROM arrived CROSS JOIN former JOIN runs r ON r.id = :run_id AND r.genes IS NULL
    """
)


async def record_arrival(connection: AsyncConnection, run_id: int, epoch: int, source: str) -> None:
    """Record an event if the answers of a source are from a new release.

    Args:
        connection: the connection of the transaction that ends the source successfully.
        run_id: the run.
        epoch: the epoch of the attempt.
        source: the name of the source.
    """
    await connection.execute(_RECORD, {"run_id": run_id, "epoch": epoch, "source": source})
