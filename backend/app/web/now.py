"""The start page: the current state."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.annotation.overview.budgets import HostBudget, read_budgets, status
from app.annotation.refresh.coverage import held_sources
from app.api.services import Services, ServicesDep
from app.core.runs.filters import ACTIVE_RUNS
from app.core.runs.shapes import Run
from app.core.runs.views import list_runs
from app.core.schedules.views import Schedule, list_schedules
from app.core.text.words import some
from app.core.workers.views import Waiting, Worker
from app.web.live import live_events
from app.web.rendering import page
from app.web.wording import words

router = APIRouter()

MAX_RUNS = 50
"""Maximum number of active runs shown."""

MAX_SCHEDULES = 5


@dataclass(frozen=True, slots=True)
class Health:
    """The health of the installation in one sentence.

    Attributes:
        level: good, warn or bad.
    """

    level: str
    sentence: str


@dataclass(frozen=True, slots=True)
class HeldSource:
    """A source whose latest answers are held."""

    source: str
    run_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Now:
    """The content of the page.

    Attributes:
        active: the queued and running runs, the newest first.
        budgets: the request budgets; None if their use is not known.
        schedules: the schedules with the next ticks, the earliest first.
    """

    health: Health
    active: Sequence[Run]
    waiting: Sequence[Waiting]
    held: Sequence[HeldSource]
    workers: Sequence[Worker]
    budgets: Sequence[HostBudget] | None
    schedules: Sequence[Schedule]


@router.get("/")
async def show_now(request: Request, services: ServicesDep) -> Response:
    """Show the current state."""
    return page(request, "now.html", now=await read_now(services))


@router.get("/live/now", response_class=EventSourceResponse)
async def live_now(request: Request, services: ServicesDep) -> AsyncIterator[ServerSentEvent]:
    """Stream the content of the page as it changes."""

    async def read() -> dict[str, Any]:
        return {"now": await read_now(services)}

    async for event in live_events(request, "now_live.html", read):
        yield event


async def read_now(services: Services) -> Now:
    """Read the content of the page."""
    budgets = await read_budgets(services.settings, services.budgets)
    async with services.reads.connect() as connection:
        found = await status(connection, budgets, arq_health=None)
        active = (await list_runs(connection, limit=MAX_RUNS, only=ACTIVE_RUNS)).runs
        held = await held_sources(connection)
        schedules = [schedule for schedule in await list_schedules(connection) if schedule.next]
    schedules.sort(key=lambda each: each.next[0])
    held_now = [HeldSource(name, each.run_id, each.reason) for name, each in held.items()]
    return Now(
        health=_health(found.workers, active, found.queue_depth, held_now),
        active=active,
        waiting=found.waiting,
        held=held_now,
        workers=found.workers,
        budgets=budgets,
        schedules=schedules[:MAX_SCHEDULES],
    )


def _health(
    workers: Sequence[Worker], active: Sequence[Run], queued: int, held: Sequence[HeldSource]
) -> Health:
    alive = sum(worker.alive for worker in workers)
    running = sum(run.state == "running" for run in active)
    if not alive:
        waits = f", and {words(queued, 'run')} wait{'s' if queued == 1 else ''}" if queued else ""
        return Health("bad" if queued else "warn", f"No worker is alive{waits}.")
    facts = f"{words(alive, 'worker')} {'is' if alive == 1 else 'are'} alive"
    if running:
        facts += f", {words(running, 'run')} {'is' if running == 1 else 'are'} being executed"
    if held:
        names = some([each.source for each in held])
        verb = "is" if len(held) == 1 else "are"
        return Health("warn", f"{names} {verb} held until somebody accepts it; {facts}.")
    return Health("good", f"All is well: {facts}.")
