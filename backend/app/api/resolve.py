from typing import Annotated

from fastapi import Query

from app.annotation.genes.resolve import ANY_NAME, MAX_NAMES, Resolutions, resolve
from app.annotation.sources.names import MAX_NAME
from app.api import routers
from app.api.services import ServicesDep

router = routers.read_router("/resolve", "genes")


@router.get(
    "",
    summary="Resolve names",
    response_description="What each name means",
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
    """Return the gene that each name means, including genes that are not in the database."""
    async with services.reads.connect() as connection:
        return Resolutions(names=await resolve(connection, name))
