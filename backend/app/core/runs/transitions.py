"""One transition of a run: the guarded update, its event, and the bell that is then to be rung."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Bell:
    """What is rung: run ``run_id`` is ready under ``epoch``."""

    run_id: int
    epoch: int
    task: str
    sources: tuple[str, ...] | None
    mode: str
    created_at: datetime
    again: bool = False
    """It was rung before, and nobody answered."""

    @property
    def id(self) -> str:
        """The arq job's id."""
        return f"{self.run_id}:{self.epoch}"


BELL_COLUMNS = "id, epoch, task, sources, mode, created_at"
"""The columns of `runs` that a bell is built from."""


def bell_of(row: Any) -> Bell:
    """Build a bell from a row that has the columns of one."""
    sources = None if row.sources is None else tuple(row.sources)
    again = getattr(row, "again", False)
    return Bell(row.id, row.epoch, row.task, sources, row.mode, row.created_at, again)


async def transition(
    connection: AsyncConnection, update: str, event: str, detail: str, **values: Any
) -> Bell | None:
    """Run an update of `runs` that returns the changed row, and note the event with it.

    ``event`` and ``detail`` are SQL expressions over the changed row ``r`` and the parameters. The
    event is the attempt's that had the run, or else that now has it: its epoch, its worker.
    """
    # a statement sees the rows as they were before it
    result = await connection.execute(
        text(
            f"WITH r AS ({update} RETURNING *), noted AS ("
            f" INSERT INTO run_events (run_id, epoch, event, detail)"
            f" SELECT r.id, coalesce(had.epoch, r.epoch), {event},"
            " jsonb_strip_nulls(jsonb_build_object('worker', coalesce(had.worker_id,"
            f" CASE r.state WHEN 'running' THEN r.worker_id END)) || {detail})"
            " FROM r LEFT JOIN runs had ON had.id = r.id AND had.state = 'running')"
            f" SELECT {BELL_COLUMNS}, state FROM r"
        ),
        values,
    )
    row = result.one_or_none()
    return None if row is None else bell_of(row)
