from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.resolve import ANY_NAME, RESOLVED_BY, NamedGene, Resolution, resolve
from app.annotation.own_tables.registry import all_sources
from app.annotation.sources.names import MAX_NAME
from app.api.errors import Refusal, refusals
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


class FoundGene(Gene):
    """A gene, and how its name was resolved."""

    resolved_by: Annotated[str, one_of(RESOLVED_BY)]
    """What the name in the address is for the gene."""
    withdrawn_at: datetime | None
    """When HGNC was seen to have withdrawn the gene. It keeps its annotations as they were then."""
    successor: NamedGene | None
    """The gene that HGNC merged the gene into."""


class Ambiguity(Refusal):
    """The answer to a name that several genes have."""

    candidates: list[NamedGene]
    """The genes that the name could mean."""


class GenePage(View):
    """Genes, in the order of their import."""

    genes: list[Gene]
    next_after: int | None
    """`after` of the next page; null when there is none."""


_PAGE = text(
    "SELECT id, hgnc_id, symbol, ensembl_gene_id, entrez_id FROM genes"
    " WHERE id > :after ORDER BY id LIMIT :limit"
)

_ONE = text("SELECT id, hgnc_id, symbol, ensembl_gene_id, entrez_id FROM genes WHERE id = :id")

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
    response_model=FoundGene,
    responses={
        **refusals({404: "There is no such gene in the database"}),
        409: {"model": Ambiguity, "description": "Several genes have this name"},
    },
)
async def get_gene(
    name: Annotated[
        str,
        Path(
            description=f"A name: {ANY_NAME}.",
            examples=["PKD1"],
        ),
    ],
    services: ServicesDep,
) -> FoundGene | JSONResponse:
    """Return a gene by any of its names, in any case; `resolved_by` says which name it is.

    An approved symbol is preferred to a previous symbol, and that to an alias. A name that several
    genes have is refused with these genes, also if only one of them is in the database.
    """
    async with services.db.connect() as connection:
        (found,) = await resolve(connection, [name])
        if found.gene is not None and found.gene.id is not None:
            rows = (await connection.execute(_ONE, {"id": found.gene.id})).mappings().all()
            (gene,) = await _with_annotations(connection, rows)
            return FoundGene(
                **dict(gene),
                resolved_by=found.resolved_by or "",
                withdrawn_at=found.gene.withdrawn_at,
                successor=found.successor,
            )
    if found.candidates:
        return _ambiguous(found)
    if found.gene is not None:
        raise NotFound(
            f"{_describe(found.gene)} is not in this database; {name!r} is its {_words(found)}",
            allowed="a name of an imported gene",
            remedy="`just genes-import FILE` with the gene in a line of FILE",
        )
    raise NotFound(
        f"there is no gene {name[:MAX_NAME]!r}",
        allowed=f"a name of an imported gene: {ANY_NAME}",
    )


def _ambiguous(found: Resolution) -> JSONResponse:
    genes = ", ".join(map(_describe, found.candidates))
    body = Ambiguity(
        error=f"{found.name!r} is the {_words(found)} of several genes: {genes}",
        allowed="a name that only one gene has",
        remedy="ask for one of these genes by its HGNC id",
        candidates=found.candidates,
    )
    return JSONResponse(body.model_dump(mode="json"), 409)


def _describe(gene: NamedGene) -> str:
    return f"{gene.symbol} ({gene.hgnc_id})"


def _words(found: Resolution) -> str:
    return str(found.resolved_by).replace("_", " ")


async def _with_annotations(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[Gene]:
    annotations: dict[int, dict[str, Annotation]] = {row["id"]: {} for row in rows}
    result = await connection.execute(_ANNOTATIONS, {"ids": list(annotations)})
    sources = await all_sources(connection)
    for found in result.mappings():
        source = found["source"]
        licence = sources[source].licence if source in sources else None
        origin = Origin(**found) if found["files"] is not None else None
        annotations[found["gene_id"]][source] = Annotation(**found, origin=origin, licence=licence)
    return [Gene(**row, annotations=annotations[row["id"]]) for row in rows]
