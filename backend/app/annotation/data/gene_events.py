"""Reads the events of a gene itself: imported, renamed, merged, split or withdrawn."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.moments import Moment
from app.annotation.data.wording import describe_event
from app.core.text.field_docs import View

MAX_EVENTS = 100
"""Maximum number of events read."""

# an import is not stored as an event, unless the gene was imported as a successor
_EVENTS = text(
    """
    SELECT id, at, event, detail, run_id FROM gene_events
    WHERE gene_id = :gene_id AND at <= coalesce(CAST(:at AS timestamptz), 'infinity')
    UNION ALL
    SELECT 0, created_at, 'imported', '{}', NULL FROM genes g
    WHERE g.id = :gene_id AND NOT EXISTS (
      SELECT FROM gene_events e WHERE e.gene_id = g.id AND e.event = 'imported as a successor')
    ORDER BY at DESC, id DESC LIMIT :most
    """
)


class GeneEvent(View):
    """An event of a gene."""

    at: datetime
    """When the event was detected."""
    event: str
    """The event: `renamed`, `merged`, `withdrawn`, `imported`, ..."""
    detail: dict[str, Any]
    """`from` and `to`, or `into` with the HGNC ids of other genes."""
    run_id: int | None
    """The run that detected it."""

    @property
    def into(self) -> list[str]:
        """The HGNC ids of the genes that a merged or split gene became."""
        return [str(each) for each in self.detail.get("into") or ()]

    @property
    def text(self) -> str:
        """The event in words."""
        return describe_event(self.event, self.detail)


async def gene_events(connection: AsyncConnection, gene_id: int, moment: Moment) -> list[GeneEvent]:
    """Return the events of a gene until a moment, the latest first."""
    values = {"gene_id": gene_id, "at": moment.at, "most": MAX_EVENTS}
    rows = (await connection.execute(_EVENTS, values)).mappings()
    return [
        GeneEvent(at=row["at"], event=row["event"], detail=row["detail"], run_id=row["run_id"])
        for row in rows
    ]
