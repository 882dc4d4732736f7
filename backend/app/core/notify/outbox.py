"""Stores notifications in the transaction of the event that they report."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.notify.message import Kind
from app.core.notify.notice import Notice
from app.core.text.words import time_span

_ADD = text(
    """
    INSERT INTO notifications (kind, severity, at, title, text, detail, incident_id)
    SELECT kind, severity, at, title, text, detail, incident_id
    FROM jsonb_to_recordset(CAST(:given AS jsonb)) AS given
      (kind text, severity text, at timestamptz, title text, text text, detail jsonb,
       incident_id bigint)
    """
)

# `xmax` of a row that the statement itself inserted is 0
_OPEN = text(
    """
    WITH given AS (
      SELECT kind, severity, at, title, text, detail, subject, run_id, sources, times
      FROM jsonb_to_recordset(CAST(:given AS jsonb)) AS given
        (kind text, severity text, at timestamptz, title text, text text, detail jsonb,
         subject text, run_id bigint, sources text[], times int)
    ), incident AS (
      INSERT INTO incidents AS open (kind, subject, title, run_id, sources, times, opened_at,
        last_at)
      SELECT kind, subject, title, run_id, sources, times, at, at FROM given
      ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO UPDATE SET
        times = open.times + excluded.times, run_id = excluded.run_id, sources = excluded.sources,
        last_at = greatest(open.last_at, excluded.last_at)
      RETURNING id, kind, subject, xmax = 0 AS is_new
    )
    INSERT INTO notifications (kind, severity, at, title, text, detail, incident_id)
    SELECT given.kind, given.severity, given.at, given.title, given.text, given.detail, incident.id
    FROM given JOIN incident USING (kind, subject) WHERE incident.is_new
    """
)


async def add(connection: AsyncConnection, notice: Notice) -> None:
    """Store a notification, which is sent after the transaction is committed.

    It is stored even if there is no channel, because the committing process need not know the
    channels.
    """
    await connection.execute(_ADD, {"given": _json([notice.row()])})


async def add_incidents(connection: AsyncConnection, notices: Sequence[Notice]) -> None:
    """Open an incident and add a notification for each notice, or count its recurrence if open.

    Args:
        connection: in a transaction.
        notices: notices with a subject.
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for notice in notices:
        assert notice.subject is not None
        # one statement cannot change the same row twice
        row = rows.setdefault((notice.kind, notice.subject), notice.row() | {"times": 0})
        row["times"] += 1
    if rows:
        await connection.execute(_OPEN, {"given": _json(list(rows.values()))})


async def add_recovered(
    connection: AsyncConnection, incident_id: int, title: str, opened_at: datetime, now: datetime
) -> None:
    """Store the notification that an incident has ended.

    Args:
        connection: in a transaction.
        incident_id: the incident.
        title: the title of the notification that reported the incident.
        opened_at: when the incident began.
        now: when it ended.
    """
    lasted = time_span(max((now - opened_at).total_seconds(), 0))
    notice = Notice(
        kind=Kind.RECOVERED,
        at=now,
        title=f"Recovered: {title}",
        text=f"This incident has ended: {title}\nIt lasted {lasted}. There is nothing to do.",
        detail={"incident": incident_id, "seconds": (now - opened_at).total_seconds()},
    )
    await connection.execute(_ADD, {"given": _json([notice.row() | {"incident_id": incident_id}])})


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
