"""The page of the workers: their liveness, their runs, and why a worker is not alive."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.services import ServicesDep
from app.core.runs.filters import ACTIVE_RUNS
from app.core.runs.shapes import Run
from app.core.runs.views import list_runs
from app.core.text.words import time_span
from app.core.workers.views import Worker, WorkerStatus, worker_status
from app.web.live import live_events
from app.web.rendering import page
from app.web.wording import words

router = APIRouter()

MAX_RUNS = 200
"""Maximum number of active runs that the page describes."""

LATE_AFTER = 3.0
"""Seconds after which a heartbeat is late. Workers send one every second."""

MIN_SHOWN_LAG = 0.05
"""Seconds of lag below which the page shows none. The lag always varies a little, but a live page
should change only when something happens."""

BLOCKED_LAG = 1.0
"""Seconds of lag that indicate a blocked event loop or an overloaded machine."""

_CODE = {
    "same": "as this API",
    "older": "older than this API",
    "newer": "newer than this API",
    "other": "other code than this API",
}


@dataclass(frozen=True, slots=True)
class Workers:
    """The content of the page.

    Attributes:
        summary: all workers in one sentence.
        status: the live workers, and those that died in the last hour.
        runs: the active runs by their ids.
    """

    summary: str
    status: WorkerStatus
    runs: Mapping[int, Run]


@router.get("/workers")
async def show_workers(request: Request, services: ServicesDep) -> Response:
    """Show the workers."""
    async with services.reads.connect() as connection:
        found = await read_workers(connection)
    return page(request, "workers.html", **_shown(found))


@router.get("/live/workers", response_class=EventSourceResponse)
async def live_workers(request: Request, services: ServicesDep) -> AsyncIterator[ServerSentEvent]:
    """Stream the content of the page as it changes."""

    async def read() -> dict[str, Any]:
        async with services.reads.connect() as connection:
            return _shown(await read_workers(connection))

    async for event in live_events(request, "workers_live.html", read):
        yield event


async def read_workers(connection: AsyncConnection) -> Workers:
    """Read the content of the page."""
    status = await worker_status(connection, arq_health=None)
    active = (await list_runs(connection, limit=MAX_RUNS, only=ACTIVE_RUNS)).runs
    return Workers(summary(status), status, {run.id: run for run in active})


def _shown(found: Workers) -> dict[str, Any]:
    named = {"code": _CODE, "blocked": BLOCKED_LAG}
    return {"found": found, "heartbeat": heartbeat, "lag": lag, "why": why, **named}


def summary(status: WorkerStatus) -> str:
    """Return the number of live workers and of their used slots, in words."""
    alive = [worker for worker in status.workers if worker.alive]
    if not alive:
        return "No worker is alive."
    slots = sum(worker.slots or 0 for worker in alive)
    used = sum(len(worker.runs) for worker in alive)
    text = f"{words(len(alive), 'worker')} {'is' if len(alive) == 1 else 'are'} alive"
    if slots:
        text += f", {used:,} of {words(slots, 'slot')} {'is' if used == 1 else 'are'} in use"
    if others := sum(worker.code != "same" for worker in alive):
        text += f", {others:,} {'runs' if others == 1 else 'run'} other code than this API"
    return f"{text}."


def heartbeat(worker: Worker) -> str:
    """Return in words whether the heartbeats of a worker are on time."""
    age = worker.heartbeat_age
    return "on time" if age <= LATE_AFTER else f"{time_span(int(age))} ago"


def lag(worker: Worker) -> str:
    """Return the event loop lag of a worker in the last minute, in words."""
    return "on time" if worker.loop_lag < MIN_SHOWN_LAG else f"{time_span(worker.loop_lag)} late"


def why(worker: Worker) -> str:
    """Return in words why a worker is not alive, and what that means."""
    if worker.frozen:
        return (
            "Its session in PostgreSQL is open, but it sends no heartbeats: the process is stopped"
            " or blocked, or its host is overloaded. Its runs are given to other workers. If it"
            " goes on, it can change nothing in these runs, because their epoch has increased."
        )
    return (
        "Its session in PostgreSQL has ended, and it did not stop cleanly: the process was killed"
        " or has crashed, or its host or the network has failed. Its runs are given to other"
        " workers, and continue from their last commit."
    )
