from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources import SOURCES
from app.api.errors import refusals
from app.api.services import ServicesDep
from app.api.strict_requests import IN_DIGITS, StrictRoute
from app.core.errors import NotFound
from app.core.runs.views import LARGEST_ID, View, one_of

router = APIRouter(
    prefix="/api/genes",
    tags=["genes"],
    route_class=StrictRoute,
    responses=refusals(
        {
            422: "A parameter is unknown, or its value is not allowed",
            503: "The database is unavailable, or the API is busy",
        }
    ),
)

MAX_NAME = 100
"""Characters. Symbols and HGNC ids are much shorter."""

_ANSWERS = one_of(("found", "absent", "unknown"))


class OriginFile(View):
    """A file, or a service, that an answer came from."""

    address: str
    """Without secrets."""
    sha256: str | None
    """Of the file as it was downloaded; null if a service was asked."""


class Origin(View):
    """Where an answer came from."""

    run_id: int | None
    """The run that fetched the answer."""
    files: list[OriginFile]
    """The files that the answer was made of, or the service that was asked."""
    parser: str
    """The version of what this product makes of the source's data."""


class Annotation(View):
    """What a source says about a gene."""

    state: Annotated[str, _ANSWERS]
    """`found`, `absent` (the source has nothing) or `unknown` (it could not be found out)."""
    data: dict[str, Any] | None
    """What was found. Each source has its own keys."""
    release: str | None
    """The source's release from which the answer comes."""
    fetched_at: datetime | None
    """When the answer was fetched."""
    checked_state: Annotated[str, _ANSWERS]
    """The result of the last check. `unknown` keeps the last good answer in `state` and `data`."""
    checked_at: datetime
    """When the source was last asked."""
    reason: str | None
    """Why the last check was `unknown`."""
    origin: Origin | None
    """Where the answer came from; null if there is none, or if a version before 0.2 fetched it."""
    licence: str | None
    """The licence of the source's data; null for a source that this version does not know."""


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
    """By the name of the source; without the sources that were not asked yet."""


class GenePage(View):
    """Genes, in the order of their import."""

    genes: list[Gene]
    next_after: int | None
    """`after` of the next page; null when there is none."""


_PAGE = text(
    "SELECT id, hgnc_id, symbol, ensembl_gene_id, entrez_id FROM genes"
    " WHERE id > :after ORDER BY id LIMIT :limit"
)

# few symbols have lower-case letters (C1orf112); an exact match comes first
_ONE = text(
    "SELECT id, hgnc_id, symbol, ensembl_gene_id, entrez_id FROM genes"
    " WHERE hgnc_id = upper(:name) OR lower(symbol) = lower(:name)"
    " ORDER BY hgnc_id = upper(:name) DESC, symbol = :name DESC, id LIMIT 1"
)

_ANNOTATIONS = text(
    "SELECT a.gene_id, a.source, a.state, a.data, a.release, a.fetched_at, a.checked_state,"
    " a.checked_at, a.reason, a.fetched_run_id AS run_id, o.files, o.parser"
    " FROM annotations a LEFT JOIN origins o ON o.id = a.origin_id"
    " WHERE a.gene_id = ANY(:ids) ORDER BY a.gene_id, a.source"
)


@router.get("", summary="List the genes", response_description="A page of genes")
async def list_genes(
    services: ServicesDep,
    limit: Annotated[
        int, Query(ge=1, le=500, description="The most genes on the page."), IN_DIGITS
    ] = 100,
    after: Annotated[
        int, Query(ge=0, le=LARGEST_ID, description="Only genes with greater ids."), IN_DIGITS
    ] = 0,
) -> GenePage:
    """Return a page of genes with their annotations."""
    async with services.db.connect() as connection:
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
    services: ServicesDep,
) -> Gene:
    """Return a gene by its symbol (in any case) or its HGNC id (`HGNC:9008`)."""
    # PostgreSQL's type text cannot hold NUL
    if len(name) <= MAX_NAME and "\0" not in name:
        async with services.db.connect() as connection:
            rows = (await connection.execute(_ONE, {"name": name})).mappings().all()
            if rows:
                return (await _with_annotations(connection, rows))[0]
    raise NotFound(
        f"there is no gene {name[:MAX_NAME]!r}",
        allowed="an approved symbol or an HGNC id (HGNC:9008) of an imported gene",
    )


async def _with_annotations(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[Gene]:
    annotations: dict[int, dict[str, Annotation]] = {row["id"]: {} for row in rows}
    result = await connection.execute(_ANNOTATIONS, {"ids": list(annotations)})
    for found in result.mappings():
        source = found["source"]
        licence = SOURCES[source].info.licence if source in SOURCES else None
        origin = Origin(**found) if found["files"] is not None else None
        annotations[found["gene_id"]][source] = Annotation(**found, origin=origin, licence=licence)
    return [Gene(**row, annotations=annotations[row["id"]]) for row in rows]
