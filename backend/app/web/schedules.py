"""The pages of the schedules, their ticks and actions."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.api import schedules
from app.api.services import ServicesDep
from app.core.schedules.views import get_schedule, list_schedules, list_ticks
from app.web.rendering import page, redirect
from app.web.roles import actor_of

router = APIRouter()

PAGE_SIZE = 50

Name = Annotated[str, Path(max_length=100)]


@router.get("/schedules")
async def show_schedules(request: Request, services: ServicesDep) -> Response:
    """Show all schedules."""
    async with services.reads.connect() as connection:
        found = await list_schedules(connection)
    return page(request, "schedules.html", schedules=found)


@router.get("/schedules/{name}")
async def show_schedule(
    request: Request,
    name: Name,
    services: ServicesDep,
    before: Annotated[datetime | None, Query()] = None,
) -> Response:
    """Show a schedule and the outcomes of its ticks, the latest first."""
    async with services.reads.connect() as connection:
        schedule = await get_schedule(connection, name)
        ticks = await list_ticks(connection, name, limit=PAGE_SIZE, before=before)
    return page(request, "schedule.html", schedule=schedule, ticks=ticks)


@router.post("/schedules/{name}/pause")
async def pause(request: Request, name: Name, services: ServicesDep) -> Response:
    """Pause a schedule."""
    await schedules.pause(name, services, actor_of(request))
    return redirect(request, f"/schedules/{name}")


@router.post("/schedules/{name}/resume")
async def resume(request: Request, name: Name, services: ServicesDep) -> Response:
    """Resume a paused schedule."""
    await schedules.resume(name, services, actor_of(request))
    return redirect(request, f"/schedules/{name}")


@router.post("/schedules/{name}/run")
async def run_now(request: Request, name: Name, services: ServicesDep) -> Response:
    """Execute a tick of a schedule immediately."""
    await schedules.run_now(name, services, actor_of(request))
    return redirect(request, f"/schedules/{name}")
