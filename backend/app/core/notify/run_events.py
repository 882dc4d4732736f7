"""Creates notices for the events of runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.errors import accept_held, retry_run, show_run
from app.core.notify import outbox
from app.core.notify.message import Kind
from app.core.notify.notice import CommandOf, Notice, one_line
from app.core.postgres.unavailable import is_unavailable
from app.core.runs.events import Event
from app.core.text.words import some

logger = logging.getLogger(__name__)

EVENT_BATCH = 200
"""Events that are handled in one transaction."""

DESCRIBE_TIMEOUT = 600.0
"""Seconds that the description of an event may take. After this time, it is not reported."""

_KEEP_OPEN = text("SELECT set_config('idle_in_transaction_session_timeout', '15min', true)")
"""Allows a transaction to be idle while an event is described. If the process freezes, its rows
stay locked for this long."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event of a run that may cause a notification."""

    run_id: int
    at: datetime
    detail: Mapping[str, Any]


Describe = Callable[[AsyncEngine, RunEvent], Awaitable[Notice | None]]
"""Returns the notice for an event; None if there is nothing to report. It may take minutes, and
only reads."""

_EVENTS = text(
    """
    SELECT e.id, e.run_id, e.at, e.event, e.detail, r.sources, r.mode,
      cardinality(r.genes) AS genes, md5(array_to_string(r.genes, ',')) AS which_genes,
      ARRAY(SELECT s.source FROM run_sources s WHERE s.run_id = r.id
            ORDER BY s.position) AS covered,
      ARRAY(SELECT s.source FROM run_sources s WHERE s.run_id = r.id AND s.state <> 'succeeded'
            ORDER BY s.position) AS unfinished,
      ARRAY(SELECT s.source FROM run_sources s WHERE s.run_id = r.id AND s.state = 'held'
            ORDER BY s.position) AS held,
      e.at < clock_timestamp() - CAST(:max_age AS interval) AS is_old
    FROM run_events e JOIN runs r ON r.id = e.run_id
    WHERE NOT e.noticed AND e.event IN ('failed', 'held', 'release arrived')
      AND e.event = ANY(CAST(:events AS text[]))
    ORDER BY e.id LIMIT :batch FOR UPDATE OF e SKIP LOCKED
    """
)

_NOTICED = text("UPDATE run_events SET noticed = true WHERE id = ANY(CAST(:ids AS bigint[]))")


async def handle_batch(db: AsyncEngine, max_age: str, command: CommandOf) -> bool:
    """Store the notifications for a batch of the job engine's events.

    Args:
        db: PostgreSQL.
        max_age: older events are not reported.
        command: returns the command for a step.

    Returns:
        Whether there may be more events.
    """
    async with db.begin() as connection:
        rows = await _unnoticed(connection, list(_DESCRIBED), EVENT_BATCH, max_age)
        notices = [_describe(row, command) for row in rows if not row["is_old"]]
        await outbox.add_incidents(connection, [notice for notice in notices if notice is not None])
        await _mark(connection, rows)
    return len(rows) == EVENT_BATCH


async def handle_others(db: AsyncEngine, describe: Mapping[str, Describe], max_age: str) -> None:
    """Store the notifications for all other events.

    Args:
        db: PostgreSQL.
        describe: functions that write the notices, by event.
        max_age: older events are not reported.
    """
    for event, describe_event in describe.items():
        while await _handle_other(db, event, describe_event, max_age):
            pass


async def _handle_other(
    db: AsyncEngine, event: str, describe_event: Describe, max_age: str
) -> bool:
    """Handle one event. Its row stays locked, so that no other process does the same work."""
    async with db.begin() as connection:
        await connection.execute(_KEEP_OPEN)
        rows = await _unnoticed(connection, [event], 1, max_age)
        for row in rows:
            notice = None
            try:
                if not row["is_old"]:
                    happened = RunEvent(row["run_id"], row["at"], row["detail"])
                    async with asyncio.timeout(DESCRIBE_TIMEOUT):
                        notice = await describe_event(db, happened)
            except Exception as error:
                if is_unavailable(error):
                    raise
                _log_failure(row, error)
            if notice is not None:
                await outbox.add(connection, notice)
        await _mark(connection, rows)
    return bool(rows)


async def _unnoticed(
    connection: AsyncConnection, events: list[str], batch: int, max_age: str
) -> list[RowMapping]:
    values = {"events": events, "batch": batch, "max_age": max_age}
    return list((await connection.execute(_EVENTS, values)).mappings())


async def _mark(connection: AsyncConnection, rows: list[RowMapping]) -> None:
    if rows:
        await connection.execute(_NOTICED, {"ids": [row["id"] for row in rows]})


def _describe(row: RowMapping, command: CommandOf) -> Notice | None:
    try:
        return _DESCRIBED[row["event"]](row, command)
    except Exception as error:  # noqa: BLE001 - it is logged
        _log_failure(row, error)
        return None


def _log_failure(row: RowMapping, error: Exception) -> None:
    """Log that an event is not reported. It is not retried, because a retry would fail too."""
    logger.error(
        "run %d: no notification of the event %r is sent, because it could not be described",
        row["run_id"],
        row["event"],
        exc_info=error,
    )


def _failed(row: RowMapping, command: CommandOf) -> Notice | None:
    if row["held"] and row["held"] == row["unfinished"]:
        return None  # the events of the held sources are reported instead
    run_id, what = row["run_id"], _request(row)
    reason = str(row["detail"].get("reason") or "the reason is not known")
    return Notice(
        kind=Kind.RUN_FAILED,
        at=row["at"],
        title=f"Run {run_id} ({what}) failed",
        text=f"Run {run_id} ({what}) failed: {reason}\n"
        "The earlier annotations stay, and nothing is lost.\n"
        f"To see what happened: {command(show_run(run_id))}\n"
        f"When the cause is repaired: {command(retry_run(run_id))}",
        detail={"run": run_id, "sources": row["unfinished"], "reason": reason},
        subject=f"{','.join(row['sources'] or ['all'])} {row['mode']} {row['which_genes'] or ''}",
        run_id=run_id,
        # a run can fail after the last of its sources has succeeded
        sources=tuple(row["unfinished"] or row["covered"]),
    )


def _held(row: RowMapping, command: CommandOf) -> Notice | None:
    run_id, source = row["run_id"], one_line(str(row["detail"].get("source")))
    reason = str(row["detail"].get("reason"))
    return Notice(
        kind=Kind.SOURCE_HELD,
        at=row["at"],
        title=f"{source} is held: its new answers look wrong",
        text=f"Run {run_id} did not store the new answers of {source}: {reason}\n"
        "The earlier annotations stay.\n"
        f"To see what is held: {command(show_run(run_id))}\n"
        f"If the source has a fault, when it is repaired: {command(retry_run(run_id))}\n"
        f"If the answers are right: {command(accept_held(run_id, source))}",
        detail={"run": run_id, "source": source, "reason": reason},
        subject=source,
        run_id=run_id,
        sources=(source,),
    )


_DESCRIBED: dict[str, Callable[[RowMapping, CommandOf], Notice | None]] = {
    Event.FAILED: _failed,
    Event.HELD: _held,
}


def _request(row: RowMapping) -> str:
    sources = "all sources" if row["sources"] is None else some(row["sources"])
    genes = "" if row["genes"] is None else f", {row['genes']:,} genes"
    return one_line(f"{sources}{genes}" + (", full" if row["mode"] == "full" else ""))
