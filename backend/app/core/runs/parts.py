"""Reads which source each attempt was working on, and when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class SourcePart:
    """The time during which an attempt worked on a source.

    Attributes:
        source: the name of the source.
        begin: the start of the work on the source.
        end: None if the work goes on, or if the attempt ended before the source.
        state: the state of the source at the end.
    """

    source: str
    begin: datetime
    end: datetime | None
    state: str


# `earlier` is written by the trigger `run_sources_keep_earlier` (migration 0024)
_PARTS = text(
    """
    SELECT s.source, s.attempt_started_at AS begin, s.finished_at AS end, s.state
    FROM run_sources s WHERE s.run_id = :run_id AND s.attempt_started_at IS NOT NULL
    UNION ALL
    SELECT s.source, CAST(part ->> 'begin' AS timestamptz), CAST(part ->> 'end' AS timestamptz),
      part ->> 'state'
    FROM run_sources s, jsonb_array_elements(s.earlier) part WHERE s.run_id = :run_id
    ORDER BY begin, source
    """
)


async def source_parts(connection: AsyncConnection, run_id: int) -> list[SourcePart]:
    """Return when the attempts at a run worked on its sources, in chronological order.

    The last 100 attempts are stored for each source. For attempts before migration 0024, only the
    last start of each source is stored.
    """
    found = await connection.execute(_PARTS, {"run_id": run_id})
    return [SourcePart(*row) for row in found]
