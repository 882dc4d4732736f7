from typing import Annotated

from fastapi import Path, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import ConfigDict, Field

from app.annotation.data import snapshots
from app.annotation.data.citation import citation
from app.annotation.data.snapshots import ALLOWED_NAME, MAX_NOTE, MAX_WHO
from app.api import routers
from app.api.errors import refusals
from app.api.services import ServicesDep
from app.api.strict_requests import StrictBody

router = routers.read_router("/snapshots", "snapshots")

admin_router = routers.admin_router("/snapshots", "snapshots")

_NOT_FOUND = refusals({404: "There is no such snapshot"})

Name = Annotated[str, Path(description="The snapshot's name.", examples=["paper-2026"])]


class NewSnapshot(StrictBody):
    """Names a snapshot, and says who takes it and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "paper-2026", "by": "Ada", "note": "as submitted"}]
        },
    )

    name: str = Field(max_length=100, description=f"The name of the snapshot: {ALLOWED_NAME}.")
    by: str = Field(
        max_length=MAX_WHO, description="The name of the person who takes the snapshot."
    )
    note: str = Field(
        "", max_length=MAX_NOTE, description="A note, such as the purpose of the snapshot."
    )


@router.get("", summary="List the snapshots", response_description="The snapshots")
async def list_snapshots(services: ServicesDep) -> list[snapshots.SnapshotSummary]:
    """Return all snapshots without their manifests, the newest first."""
    async with services.db.connect() as connection:
        return await snapshots.list_snapshots(connection)


@router.get(
    "/{name}",
    summary="Show a snapshot",
    response_description="The snapshot",
    responses=_NOT_FOUND,
)
async def get_snapshot(name: Name, services: ServicesDep) -> snapshots.Snapshot:
    """Return a snapshot with its manifest: the sources, their releases, licences and counts."""
    async with services.db.connect() as connection:
        return await snapshots.get_snapshot(connection, name)


@router.get(
    "/{name}/citation",
    summary="Cite a snapshot",
    response_description="The citation",
    response_class=PlainTextResponse,
    responses=_NOT_FOUND,
)
async def cite_snapshot(name: Name, services: ServicesDep) -> PlainTextResponse:
    """Return the citation of a snapshot, in the Citation File Format (YAML).

    `abstract` is a paragraph to quote. `references` has the sources with their releases, licences
    and attributions.
    """
    async with services.db.connect() as connection:
        found = await snapshots.get_snapshot(connection, name)
    return PlainTextResponse(citation(found.manifest))


@admin_router.post(
    "",
    status_code=201,
    summary="Take a snapshot",
    response_description="The snapshot was taken",
    responses=refusals(
        {
            400: "The body is not JSON",
            409: "There is a snapshot of this name, or somebody writes answers for too long",
            413: "The body is larger than 64 KiB",
            422: "A field is unknown or missing, or its value is not allowed",
        }
    ),
)
async def take_snapshot(new: NewSnapshot, services: ServicesDep) -> snapshots.Snapshot:
    """Give the current state of the annotations a name. A snapshot cannot be changed."""
    async with services.db.begin() as connection:
        return await snapshots.take(connection, new.name, note=new.note, by=new.by)


@admin_router.delete(
    "/{name}",
    status_code=204,
    summary="Delete a snapshot",
    response_description="The snapshot was deleted",
    responses=_NOT_FOUND | refusals({422: "`force` is not true, or a parameter is unknown"}),
)
async def delete_snapshot(
    name: Name,
    services: ServicesDep,
    *,
    force: Annotated[
        bool, Query(description="Must be `true`, because a publication may cite the snapshot.")
    ] = False,
) -> Response:
    """Delete a snapshot. If `HISTORY_DAYS` limits the history, its answers may then be removed."""
    async with services.db.begin() as connection:
        await snapshots.delete_snapshot(connection, name, force=force)
    return Response(status_code=204)
