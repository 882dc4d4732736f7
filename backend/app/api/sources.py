from typing import Annotated, Any

from fastapi import Path

from app.annotation.overview.sources import SourceOverview, source_overview, sources_overview
from app.annotation.own_tables.source import schema_of
from app.annotation.own_tables.store import current_tables
from app.annotation.sources import SOURCES
from app.annotation.sources.structure import json_schema
from app.api import routers
from app.api.errors import refusals
from app.api.services import ServicesDep
from app.core.errors import NotFound

router = routers.read_router("/sources", "genes")

_NO_SOURCE = refusals({404: "There is no such source"})

Name = Annotated[str, Path(description="The name of a source.", examples=[[*SOURCES][-1]])]


@router.get("", summary="List the sources", response_description="The sources")
async def list_sources(services: ServicesDep) -> list[SourceOverview]:
    """Return all sources: licence, releases, coverage, age and held answers."""
    async with services.db.connect() as connection:
        return await sources_overview(connection, services.settings)


@router.get(
    "/{name}",
    summary="Show a source",
    response_description="The source",
    responses=_NO_SOURCE,
)
async def get_source(name: Name, services: ServicesDep) -> SourceOverview:
    """Return one source: licence, releases, coverage, age and held answers."""
    async with services.db.connect() as connection:
        return await source_overview(connection, services.settings, name)


@router.get(
    "/{name}/schema",
    summary="Show the JSON schema of the data of a source",
    response_description="A JSON schema (draft 2020-12)",
    responses=_NO_SOURCE,
)
async def get_schema(name: Name, services: ServicesDep) -> dict[str, Any]:
    """Return the JSON schema of `data` of a source, with the definitions of all fields."""
    if name in SOURCES:
        return json_schema(SOURCES[name].data)
    async with services.db.connect() as connection:
        own = await current_tables(connection)
    if name not in own:
        raise NotFound(f"there is no source {name[:80]!r}", allowed=", ".join([*SOURCES, *own]))
    return schema_of(own[name])
