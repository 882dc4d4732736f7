from typing import Annotated

from fastapi import APIRouter, Query

from app.annotation.genes.resolve import ANY_NAME, MAX_NAMES, Resolutions, resolve
from app.annotation.sources.names import MAX_NAME
from app.api.errors import refusals
from app.api.services import ServicesDep
from app.api.strict_requests import StrictRoute

router = APIRouter(prefix="/api/resolve", tags=["genes"], route_class=StrictRoute)


@router.get(
    "",
    summary="Say what names mean",
    response_description="What each name means",
    responses=refusals(
        {
            422: "A parameter is unknown, or its value is not allowed",
            503: "The database is unavailable, or the API is busy",
        }
    ),
)
async def resolve_names(
    services: ServicesDep,
    name: Annotated[
        list[Annotated[str, Query(max_length=MAX_NAME)]],
        Query(
            min_length=1,
            max_length=MAX_NAMES,
            description=f"A name: {ANY_NAME}. Repeat the parameter for several names.",
            examples=[["PKD1", "MLL"]],
        ),
    ],
) -> Resolutions:
    """Return what each name means, also for approved genes that are not in the database."""
    async with services.reads.connect() as connection:
        return Resolutions(names=await resolve(connection, name))
