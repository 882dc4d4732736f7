from typing import Annotated

from fastapi import Query

from app.annotation.genes.resolve import ANY_NAME
from app.annotation.genes.search import DEFAULT_MATCHES, MAX_MATCHES, Found, search
from app.api import routers
from app.api.services import ServicesDep
from app.api.strict_requests import IN_DIGITS

router = routers.read_router("/search", "genes")


@router.get(
    "",
    summary="Search genes",
    response_description="The genes that the text could mean",
)
async def search_genes(
    services: ServicesDep,
    q: Annotated[
        str,
        Query(
            max_length=1_000,
            description=f"The text: {ANY_NAME}, or the beginning of a symbol or an alias.",
            examples=["PKD"],
        ),
    ],
    limit: Annotated[
        int,
        Query(
            ge=1,
            le=MAX_MATCHES,
            description="The maximum number of genes in `matches`.",
            examples=[3],
        ),
        IN_DIGITS,
    ] = DEFAULT_MATCHES,
) -> Found:
    """Return the genes that an incomplete name could mean, for a search as you type.

    Names are compared with those of all approved genes, also of genes that are not in the database.
    """
    async with services.reads.connect() as connection:
        return await search(connection, q, limit)
