from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.errors import refusals
from app.api.services import Uses
from app.api.strict import IN_DIGITS, StrictRoute
from app.core.errors import NotFound
from app.core.runs.views import LARGEST_ID, View, one_of

router = APIRouter(
    prefix="/api/genes",
    tags=["genes"],
    route_class=StrictRoute,
    responses=refusals(
        {
            422: "A parameter is unknown, or its value is not allowed",
            503: "The database is away, or the API is busy",
        }
    ),
)

LONGEST_NAME = 100
"""Characters; no symbol and no HGNC id comes near."""


_ANSWERS = one_of(("found", "absent", "unknown"))


class Annotation(View):
    """What a source says of a gene."""

    state: Annotated[str, _ANSWERS]
    """`absent`: the source said so. `unknown`: it could not be found out."""
    data: dict[str, Any] | None
    """What was found; its keys are the source's own."""
    release: str | None
    """The source's release that the answer is from."""
    fetched_at: datetime | None
    """When the answer was got."""
    checked_state: Annotated[str, _ANSWERS]
    """What the last check said; `unknown` leaves the last good answer standing."""
    checked_at: datetime
    """When the source was last asked."""
    reason: str | None
    """Why the last check could not find out."""


class Gene(View):
    """A gene and its annotations, by source."""

    id: int
    hgnc_id: str
    """With its prefix: `HGNC:9008`."""
    symbol: str
    """The approved symbol."""
    ensembl_gene_id: str | None
    """Without its version."""
    entrez_id: str | None
    """NCBI's GeneID."""
    annotations: dict[str, Annotation]
    """By the source's name; a source that was not asked yet is left out."""


class GenePage(View):
    """Genes, in the order in which they were imported."""

    genes: list[Gene]
    next_after: int | None
    """`after` of the next page; null when there is none."""


_COLUMNS = "id, hgnc_id, symbol, ensembl_gene_id, entrez_id"

_PAGE = text(f"SELECT {_COLUMNS} FROM genes WHERE id > :after ORDER BY id LIMIT :limit")

# symbols differ in case in a few only (C1orf112), and an exact one comes first
_ONE = text(
    f"SELECT {_COLUMNS} FROM genes WHERE hgnc_id = upper(:name) OR lower(symbol) = lower(:name)"
    " ORDER BY hgnc_id = upper(:name) DESC, symbol = :name DESC, id LIMIT 1"
)

_ANNOTATIONS = text(
    "SELECT gene_id, source, state, data, release, fetched_at, checked_state, checked_at, reason"
    " FROM annotations WHERE gene_id = ANY(:ids) ORDER BY gene_id, source"
)


@router.get("", summary="List the genes", response_description="A page of genes")
async def list_genes(
    uses: Uses,
    limit: Annotated[
        int, Query(ge=1, le=500, description="At most so many genes."), IN_DIGITS
    ] = 100,
    after: Annotated[
        int, Query(ge=0, le=LARGEST_ID, description="Only greater ids."), IN_DIGITS
    ] = 0,
) -> GenePage:
    """Return genes with their annotations."""
    async with uses.db.connect() as connection:
        rows = (await connection.execute(_PAGE, {"after": after, "limit": limit})).mappings().all()
        genes = await _with_annotations(connection, rows)
    return GenePage(genes=genes, next_after=genes[-1].id if len(genes) == limit else None)


@router.get(
    "/{name}",
    summary="Show a gene",
    response_description="The gene",
    responses=refusals({404: "There is no such gene"}),
)
async def get_gene(
    name: Annotated[str, Path(description="A symbol or an HGNC id.", examples=["PKD1"])],
    uses: Uses,
) -> Gene:
    """Return a gene by its symbol (in any case) or its HGNC id (`HGNC:9008`)."""
    # PostgreSQL's text takes no NUL
    if len(name) <= LONGEST_NAME and "\0" not in name:
        async with uses.db.connect() as connection:
            rows = (await connection.execute(_ONE, {"name": name})).mappings().all()
            if rows:
                return (await _with_annotations(connection, rows))[0]
    raise NotFound(
        f"there is no gene {name[:LONGEST_NAME]!r}",
        allowed="an approved symbol or an HGNC id (HGNC:9008) of an imported gene",
    )


async def _with_annotations(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[Gene]:
    annotations: dict[int, dict[str, Annotation]] = {row["id"]: {} for row in rows}
    result = await connection.execute(_ANNOTATIONS, {"ids": list(annotations)})
    for found in result.mappings():
        annotations[found["gene_id"]][found["source"]] = Annotation(**found)
    return [Gene(**row, annotations=annotations[row["id"]]) for row in rows]
