"""One run: its timeline, its sources, its events, and what can be done about it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.refresh.run_detail import get_detail
from app.api.services import ServicesDep
from app.core.runs import operations
from app.core.runs.views import LARGEST_ID, latest_events
from app.web.live import live_events
from app.web.rendering import page, redirect
from app.web.run_actions import act
from app.web.timeline import draw

router = APIRouter()

MOST_EVENTS = 500
"""The latest events, of which the timeline is drawn."""

RunId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


class Acceptance(BaseModel):
    """Who accepts what a run holds of a source, and why."""

    source: str = Field(max_length=100)
    by: str = Field(min_length=1, max_length=200)
    note: str = Field("", max_length=2_000)


@router.get("/runs/{run_id}")
async def show_run(request: Request, run_id: RunId, services: ServicesDep) -> Response:
    """Show a run."""
    async with services.reads.connect() as connection:
        return page(request, "run.html", **await _read(connection, run_id))


@router.get("/live/runs/{run_id}", response_class=EventSourceResponse)
async def live_run(
    request: Request, run_id: RunId, services: ServicesDep
) -> AsyncIterator[ServerSentEvent]:
    """Send what the page of a run shows, as it changes."""

    async def read() -> dict[str, Any]:
        async with services.reads.connect() as connection:
            return await _read(connection, run_id)

    async for event in live_events(request, "run_live.html", read):
        yield event


@router.post("/runs/{run_id}/cancel")
async def cancel(request: Request, run_id: RunId, services: ServicesDep) -> Response:
    """Cancel a run."""
    await act(services, "cancel", run_id)
    return redirect(request, f"/runs/{run_id}")


@router.post("/runs/{run_id}/retry")
async def retry(request: Request, run_id: RunId, services: ServicesDep) -> Response:
    """Continue a failed or cancelled run."""
    await act(services, "retry", run_id)
    return redirect(request, f"/runs/{run_id}")


@router.post("/runs/{run_id}/accept")
async def accept(
    request: Request,
    run_id: RunId,
    services: ServicesDep,
    acceptance: Annotated[Acceptance, Form()],
) -> Response:
    """Accept what a run holds of a source."""
    async with services.db.begin() as connection:
        ref = await operations.accept(
            connection, run_id, acceptance.source, by=acceptance.by, note=acceptance.note
        )
    if ref is not None:
        await services.dispatcher.send([ref])
    return redirect(request, f"/runs/{run_id}")


async def _read(connection: AsyncConnection, run_id: int) -> dict[str, Any]:
    run = await get_detail(connection, run_id)
    events = await latest_events(connection, run_id, limit=MOST_EVENTS)
    return {"run": run, "events": events, "drawing": draw(run, events, datetime.now(UTC))}
