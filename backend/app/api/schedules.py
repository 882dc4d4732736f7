from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import ConfigDict, Field

from app.annotation.refresh.requests import plan, require_sources
from app.annotation.scheduled import actions
from app.annotation.sources import SOURCES
from app.api import routers
from app.api.acting import ByApi
from app.api.errors import refusals
from app.api.services import Services, ServicesDep
from app.api.strict_requests import IN_DIGITS, StrictBody
from app.core.runs.request import MODES, RunRequest
from app.core.schedules import operations, views
from app.core.schedules.actions import ACTIONS, REFRESH
from app.core.schedules.operations import NewSchedule
from app.core.schedules.schedule import DEFAULT_CATCH_UP, KINDS, OVERLAPS
from app.core.schedules.ticks import Plan
from app.core.text.field_docs import View, one_of

router = routers.admin_router("/schedules", "admin")

_NOT_FOUND = refusals({404: "There is no such schedule"})

Name = Annotated[str, Path(description="The schedule's name.", examples=["weekly"])]


class AddSchedule(StrictBody):
    """A schedule to be added."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "weekly",
                    "kind": "cron",
                    "cron": "0 3 * * 0",
                    "zone": "Europe/Berlin",
                    "sources": [[*SOURCES][-1]],
                    "by": "Ada",
                }
            ]
        },
    )

    # the allowed values are checked where the schedule is added
    name: str = Field(
        max_length=100,
        description="The name of the schedule: lower-case letters, digits, `-`, `_` and `.`.",
    )
    kind: Annotated[str, one_of(KINDS)] = Field(
        max_length=20,
        description="When the schedule is due. `cron`: at fixed times. `freshness`: when data"
        " are older than `every`. `release`: once per `every`, to check for a new release.",
    )
    cron: str | None = Field(
        None, max_length=200, description="For the kind `cron`: the five cron fields."
    )
    zone: str = Field("UTC", max_length=100, description="The time zone of the cron fields.")
    every: float | None = Field(
        None,
        gt=0,
        le=4e8,
        description="For the other kinds: the period, in seconds.",
        allow_inf_nan=False,
    )
    sources: list[Annotated[str, one_of(SOURCES), Field(max_length=100)]] | None = Field(
        None, max_length=100, description="The sources that the runs refresh; null means all."
    )
    mode: Annotated[str, one_of(MODES)] = Field("smart", max_length=100)
    action: Annotated[str, one_of(ACTIONS)] = Field(
        REFRESH,
        max_length=20,
        description="What a tick does: `refresh` creates a run. `snapshot`, `backup` and"
        " `export` require the kind `cron`, and do not take `sources` and `mode`.",
    )
    options: dict[str, Any] = Field(
        {},
        max_length=20,
        description="The options of the action. `snapshot`: `prefix` and `note`. `backup`:"
        " `folder` (on the hosts with workers), `keep_daily` and `keep_weekly`. `export`:"
        " also `format`, `sources`, `fields`, `list`, `where` and `long`, as for a single"
        " export.",
    )
    overlap: Annotated[str, one_of(OVERLAPS)] = Field(
        "skip",
        max_length=20,
        description="What happens to a tick if a run of these sources is active or an earlier"
        " tick is not done: `skip` drops the tick, `queue` lets it wait.",
    )
    catch_up: float = Field(
        DEFAULT_CATCH_UP.total_seconds(),
        ge=0,
        le=4e8,
        description="A tick that was missed for at most this number of seconds is caught up;"
        " 0 disables this.",
        allow_inf_nan=False,
    )
    by: str = Field(
        min_length=1, max_length=200, description="The name of the person who adds the schedule."
    )


class Begun(View):
    """The outcome of a tick that was done at once."""

    run_id: int | None
    """The run that was created; null if there is none. The last tick of the schedule has the
    outcome."""


def _plan(services: Services) -> Plan:
    return partial(plan, enabled=services.enabled_sources)


@router.get("", summary="List the schedules", response_description="The schedules")
async def list_schedules(services: ServicesDep) -> list[views.Schedule]:
    """Return all schedules with their next times and their last ticks."""
    async with services.db.connect() as connection:
        return await views.list_schedules(connection)


@router.post(
    "",
    status_code=201,
    summary="Add a schedule",
    response_description="The schedule",
    responses=refusals({400: "The body is not JSON", 409: "There is a schedule of this name"}),
)
async def add(request: Request, new: AddSchedule, services: ServicesDep) -> views.Schedule:
    """Add a schedule. It takes effect at once."""
    schedule = NewSchedule(
        name=new.name,
        kind=new.kind,
        cron=new.cron,
        zone=new.zone,
        every=None if new.every is None else timedelta(seconds=new.every),
        request=RunRequest.of(new.sources, new.mode),
        overlap=new.overlap,
        catch_up=timedelta(seconds=new.catch_up),
        by=new.by,
        action=new.action,
        options=new.options,
    )
    async with services.db.begin() as connection:
        check = partial(require_sources, enabled=services.enabled_sources)
        available = actions(request.app.state.settings)
        await operations.add(connection, schedule, check, available)
        return await views.get_schedule(connection, new.name)


@router.get(
    "/{name}",
    summary="Show a schedule",
    response_description="The schedule",
    responses=_NOT_FOUND,
)
async def get_schedule(name: Name, services: ServicesDep) -> views.Schedule:
    """Return a schedule with its next times and its last tick."""
    async with services.db.connect() as connection:
        return await views.get_schedule(connection, name)


@router.get(
    "/{name}/ticks",
    summary="List the ticks of a schedule",
    response_description="A page of ticks",
    responses=_NOT_FOUND,
)
async def list_ticks(
    name: Name,
    services: ServicesDep,
    limit: Annotated[
        int,
        Query(ge=1, le=1_000, description="The maximum number of ticks on the page."),
        IN_DIGITS,
    ] = 50,
    before: Annotated[datetime | None, Query(description="Only ticks before this time.")] = None,
) -> views.TickPage:
    """Return a page of the ticks of a schedule with their outcomes, the latest first."""
    async with services.db.connect() as connection:
        return await views.list_ticks(connection, name, limit=limit, before=before)


@router.delete(
    "/{name}",
    status_code=204,
    summary="Remove a schedule",
    response_description="The schedule is removed",
    responses=_NOT_FOUND,
)
async def remove(name: Name, services: ServicesDep) -> None:
    """Remove a schedule and the history of its ticks. Its runs, snapshots and files stay."""
    async with services.db.begin() as connection:
        await operations.remove(connection, name)


@router.post(
    "/{name}/pause",
    summary="Pause a schedule",
    response_description="The schedule",
    responses=_NOT_FOUND | refusals({409: "It is already paused"}),
)
async def pause(name: Name, services: ServicesDep, actor: ByApi) -> views.Schedule:
    """Pause a schedule until it is resumed. Ticks that are due meanwhile are not caught up."""
    async with services.db.begin() as connection:
        await operations.pause(connection, name, actor=actor)
        return await views.get_schedule(connection, name)


@router.post(
    "/{name}/resume",
    summary="Resume a schedule",
    response_description="The schedule",
    responses=_NOT_FOUND | refusals({409: "It is not paused"}),
)
async def resume(name: Name, services: ServicesDep, actor: ByApi) -> views.Schedule:
    """Resume a paused schedule. Ticks that were due meanwhile are not caught up."""
    async with services.db.begin() as connection:
        await operations.resume(connection, name, actor=actor)
        return await views.get_schedule(connection, name)


@router.post(
    "/{name}/run",
    status_code=202,
    summary="Do a tick now",
    response_description="The tick has an outcome, or waits for a worker",
    responses=_NOT_FOUND | refusals({409: "It was begun in this second already"}),
)
async def run_now(name: Name, services: ServicesDep, actor: ByApi) -> Begun:
    """Do a tick of a schedule now, even if the schedule is paused."""
    async with services.db.begin() as connection:
        created = await operations.run_now(connection, name, _plan(services), actor=actor)
    await services.dispatcher.send(created)
    return Begun(run_id=created[0].run_id if created else None)
