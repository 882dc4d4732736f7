"""The page of a run: its timeline, sources, events and actions."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.refresh.run_detail import get_detail
from app.api import runs
from app.api.runs import NewAcceptance
from app.api.services import ServicesDep
from app.core.runs.log_lines import MAX_LINES, read_log, tails
from app.core.runs.parts import source_parts
from app.core.runs.views import latest_events
from app.core.workers.views import hosts_of
from app.db.bounds import MAX_EPOCH, MAX_ID
from app.web.live import live_events
from app.web.rendering import page, redirect
from app.web.roles import actor_of
from app.web.timeline import draw

router = APIRouter()

MAX_EVENTS = 500
"""The number of latest events that the timeline shows."""

LISTED_EVENTS = 100
"""The number of latest events that the page lists."""

LINES_OF_OTHERS = 10
"""The number of last log lines shown for an earlier attempt. A separate page shows all of them."""

RunId = Annotated[int, Path(ge=1, le=MAX_ID)]
Begin = Annotated[datetime | None, Query(alias="from")]
End = Annotated[datetime | None, Query(alias="to")]


@router.get("/runs/{run_id}")
async def show_run(
    request: Request,
    run_id: RunId,
    services: ServicesDep,
    begin: Begin = None,
    end: End = None,
) -> Response:
    """Show a run."""
    async with services.reads.connect() as connection:
        read = await _read(connection, run_id, begin, end)
    return page(request, "run.html", query=request.url.query, **read)


@router.get("/live/runs/{run_id}", response_class=EventSourceResponse)
async def live_run(
    request: Request,
    run_id: RunId,
    services: ServicesDep,
    begin: Begin = None,
    end: End = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream the content of a run's page as it changes."""

    async def read() -> dict[str, Any]:
        async with services.reads.connect() as connection:
            return await _read(connection, run_id, begin, end)

    async for event in live_events(request, "run_live.html", read):
        yield event


@router.get("/runs/{run_id}/log")
async def show_log(
    request: Request,
    run_id: RunId,
    services: ServicesDep,
    epoch: Annotated[int | None, Query(ge=1, le=MAX_EPOCH)] = None,
) -> Response:
    """Show the last log lines of an attempt."""
    async with services.reads.connect() as connection:
        found = await read_log(connection, run_id, epoch)
    return page(request, "run_log.html", found=found)


@router.post("/runs/{run_id}/cancel")
async def cancel(request: Request, run_id: RunId, services: ServicesDep) -> Response:
    """Cancel a run."""
    await runs.cancel(run_id, services, actor_of(request))
    return redirect(request, f"/runs/{run_id}")


@router.post("/runs/{run_id}/retry")
async def retry(request: Request, run_id: RunId, services: ServicesDep) -> Response:
    """Continue a failed or cancelled run."""
    await runs.retry(run_id, services, actor_of(request))
    return redirect(request, f"/runs/{run_id}")


@router.post("/runs/{run_id}/accept")
async def accept(
    request: Request,
    run_id: RunId,
    services: ServicesDep,
    acceptance: Annotated[NewAcceptance, Form()],
) -> Response:
    """Accept the held answers of a source in a run."""
    await runs.accept(run_id, acceptance, services, actor_of(request))
    return redirect(request, f"/runs/{run_id}")


async def _read(
    connection: AsyncConnection, run_id: int, begin: datetime | None, end: datetime | None
) -> dict[str, Any]:
    run = await get_detail(connection, run_id)
    events = await latest_events(connection, run_id, limit=MAX_EVENTS + 1)
    left_out = len(events) > MAX_EVENTS
    events = events[-MAX_EVENTS:]
    workers = {event.detail["worker"] for event in events if "worker" in event.detail}
    logs = await tails(connection, run_id, of_last=MAX_LINES, of_others=LINES_OF_OTHERS)
    drawing = draw(
        events,
        datetime.now(UTC),
        parts=await source_parts(connection, run_id),
        hosts=await hosts_of(connection, workers),
        begin=begin,
        end=end,
        left_out=left_out,
    )
    return {
        "run": run,
        "events": events[-LISTED_EVENTS:],
        "earlier": left_out or len(events) > LISTED_EVENTS,
        "drawing": drawing,
        "logs": logs,
    }
