"""When attempts were busy with which source."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class SourcePart:
    """The time from which on an attempt was busy with a source.

    Attributes:
        end: None if the source had not ended when the attempt did, or goes on.
        state: of the source at the end.
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
    """Return when attempts at a run were busy with its sources, in order.

    Of each source, the last 100 attempts are known. Nothing is known of attempts before the
    migration 0024, except when each source began for the last time.
    """
    found = await connection.execute(_PARTS, {"run_id": run_id})
    return [SourcePart(*row) for row in found]
