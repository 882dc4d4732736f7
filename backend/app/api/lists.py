import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Response
from pydantic import ConfigDict, Field

from app.annotation.data import lists
from app.annotation.data.lists import ListChange
from app.annotation.data.snapshots import MAX_NOTE, MAX_WHO
from app.annotation.genes.columns import Row
from app.annotation.genes.listed import resolve_rows, row_of
from app.annotation.genes.resolve import ANY_NAME
from app.api import routers
from app.api.auth import ADMIN_PREFIX
from app.api.errors import refusals
from app.api.services import ServicesDep
from app.api.strict_requests import StrictBody

router = routers.read_router("/lists", "lists")

LISTS_PREFIX = f"{ADMIN_PREFIX}/lists"

admin_router = routers.admin_router("/lists", "lists")

MAX_GENES = 20_000
"""The maximum number of names in a list."""

MAX_BODY = 1024 * 1024
"""The maximum size of a request that uploads a list, in bytes."""

_NOT_FOUND = refusals({404: "There is no such list"})

Name = Annotated[str, Path(description="The list's name.", examples=["ciliopathies"])]


class NewList(StrictBody):
    """The genes of a list, and who adds it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"genes": ["PKD1", "HGNC:9009", "5311"], "by": "Ada", "note": "cysts"}]
        },
    )

    genes: list[Annotated[str, Field(max_length=100)]] = Field(
        min_length=1,
        max_length=MAX_GENES,
        description=f"Names of genes; each is {ANY_NAME}. Names that mean no gene, or several, are"
        " left out and returned in `problems`.",
    )
    by: str = Field(max_length=MAX_WHO, description="The name of the person who adds the list.")
    note: str | None = Field(
        None,
        max_length=MAX_NOTE,
        description="A note, such as the purpose of the list; null keeps the earlier note.",
    )


def _rows(names: Sequence[str]) -> list[Row]:
    return [row_of(place, name) for place, name in enumerate(names, 1)]


@router.get("", summary="List the gene lists", response_description="The lists")
async def list_lists(services: ServicesDep) -> list[lists.GeneListSummary]:
    """Return all gene lists without their genes, sorted by name."""
    async with services.db.connect() as connection:
        return await lists.all_lists(connection)


@router.get(
    "/{name}",
    summary="Show a gene list",
    response_description="The list",
    responses=_NOT_FOUND,
)
async def get_list(name: Name, services: ServicesDep) -> lists.GeneList:
    """Return a gene list with all of its genes, including those that are not in the database."""
    async with services.db.connect() as connection:
        return await lists.get_list(connection, name)


@admin_router.put(
    "/{name}",
    summary="Add or replace a gene list",
    response_description="The list was replaced, or is unchanged",
    responses={
        201: {"model": ListChange, "description": "The list was added"},
        **refusals(
            {
                400: "The body is not JSON",
                413: "The body is larger than 1 MiB",
                422: "A field is unknown or missing, its value is not allowed, or no name means"
                " one gene",
            }
        ),
    },
)
async def put_list(
    name: Name, new: NewList, services: ServicesDep, response: Response
) -> ListChange:
    """Add a gene list, or replace all genes of an existing list.

    In `problems` and `notes`, `line` is the position in `genes`, counted from 1. Adding the same
    list again changes nothing.
    """
    lists.check_name(name)
    # in a thread, because a long list takes more than 100 ms
    rows = await asyncio.to_thread(_rows, new.genes)
    async with services.db.begin() as connection:
        listed = await resolve_rows(connection, rows)
        change = await lists.put_list(connection, name, listed, note=new.note, by=new.by)
    if change.created:
        response.status_code = 201
    return change


@admin_router.delete(
    "/{name}",
    status_code=204,
    summary="Remove a gene list",
    response_description="The list was removed",
    responses=_NOT_FOUND | refusals({422: "A parameter is unknown"}),
)
async def remove_list(name: Name, services: ServicesDep) -> Response:
    """Remove a gene list. Its genes and their annotations stay."""
    async with services.db.begin() as connection:
        await lists.remove_list(connection, name)
    return Response(status_code=204)
