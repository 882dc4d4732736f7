"""Reads of genes. Stored JSON is passed on unchanged; FastAPI does not serialize the responses."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.annotation.data.gene_filter import STATES, find_filter
from app.annotation.data.gene_history import gene_history
from app.annotation.data.gene_order import find_order
from app.annotation.data.gene_pages import gene_page
from app.annotation.data.gene_query import (
    MAX_IDENTIFIERS,
    SCOPES,
    answer_query,
    found_gene,
    kinds_of,
    named,
)
from app.annotation.data.one_gene import AmbiguousName, find_gene, read_gene
from app.annotation.data.selection import find_selection
from app.annotation.data.shapes import encode
from app.annotation.data.views import (
    AmbiguousQuery,
    AnsweredQuery,
    FoundGene,
    GenePage,
    UnansweredQuery,
    VersionPage,
)
from app.annotation.genes.resolve import ANY_NAME, NamedGene
from app.api import routers
from app.api.errors import Refusal, refusals
from app.api.parameters import (
    EXAMPLE_FIELDS,
    EXAMPLE_TIME,
    LIST,
    ORDER,
    PREFIX,
    WHERE,
    ShownDep,
    given_names,
    in_parameters,
)
from app.api.services import ServicesDep
from app.api.strict_requests import IN_DIGITS, StrictBody
from app.core.errors import WrongUse
from app.core.text.field_docs import one_of
from app.db.bounds import MAX_ID

router = routers.read_router("/genes", "genes")


class Ambiguity(Refusal):
    """The answer to an ambiguous name."""

    candidates: list[NamedGene]
    """The genes that the name could mean."""


def _identifiers(given: object) -> object:
    """Raise one error for all wrong types, instead of pydantic's one error per allowed type."""
    identifiers = given if isinstance(given, list) else [given]
    # compares the types, because `True` is an instance of int
    if not {type(one) for one in identifiers} <= {str, int} or type(given) is int:
        raise PydanticCustomError(
            "identifiers",
            "Input should be a list of identifiers, or a text with commas between them",
        )
    return given


class GeneQuery(StrictBody):
    """Identifiers of genes, and what comes back of each gene."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"q": ["PKD1", "ENSG00000155657.28", "5310"], "fields": [*EXAMPLE_FIELDS]},
                {"q": "PKD1,TTN", "scopes": "symbol,alias", "sources": ["gnomad"]},
                {"q": [5310], "scopes": "entrezgene", "as_of": EXAMPLE_TIME},
            ]
        },
    )

    q: Annotated[list[str | int] | str, BeforeValidator(_identifiers)] = Field(
        description=f"1 to {MAX_IDENTIFIERS:,} identifiers: {ANY_NAME}. A list, or a text"
        " separated by commas or blanks."
    )
    scopes: list[str] | str | None = Field(
        None,
        description="The kinds of identifiers, as a list or separated by commas; null means all:"
        f" {', '.join(f'`{scope}`' for scope in SCOPES)}.",
    )
    fields: list[str] | str | None = Field(
        None,
        description="The fields of `data` that are returned, as a list or separated by commas;"
        " null or `all` means all.",
    )
    sources: list[str] | str | None = Field(
        None,
        description="The sources whose annotations are returned, as a list or separated by"
        " commas; null means all, or those of `fields`.",
    )
    as_of: str | None = Field(None, max_length=100, description="See `GET /api/genes`.")
    snapshot: str | None = Field(None, max_length=200, description="See `GET /api/genes`.")


@router.get(
    "",
    summary="List the genes",
    response_description="A page of genes",
    response_model=GenePage,
)
async def list_genes(
    *,
    services: ServicesDep,
    shown: ShownDep,
    limit: Annotated[
        int,
        Query(ge=1, le=500, description="The maximum number of genes on the page.", examples=[2]),
        IN_DIGITS,
    ] = 100,
    after: Annotated[
        int | None,
        Query(
            ge=0,
            le=MAX_ID,
            description="`next_after` of the previous page: only genes after the gene with"
            " this id.",
            examples=[1],
        ),
        IN_DIGITS,
    ] = None,
    order: ORDER = "import",
    source: Annotated[
        str | None,
        Query(
            max_length=100,
            description="Only genes about which this source has been asked.",
            examples=["clinvar"],
        ),
    ] = None,
    state: Annotated[
        str | None,
        one_of(STATES),
        Query(
            max_length=100,
            description="Only genes for which the answer of `source` has this state.",
        ),
    ] = None,
    changed_since: Annotated[
        str | None,
        Query(
            max_length=100,
            description="Only genes with an answer (of `source`, if given) that is new or has"
            " changed since this time. A day means its beginning in UTC.",
            examples=[EXAMPLE_TIME],
        ),
    ] = None,
    list: LIST = None,  # noqa: A002 - the name of the parameter
    prefix: PREFIX = None,
    where: WHERE = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Return a page of genes with their annotations, current or of a past time."""
    async with services.reads.connect() as connection:
        selection = await shown.find(connection)
        with in_parameters():
            chosen = await find_filter(
                connection,
                source=source,
                state=state,
                changed_since=changed_since,
                prefix=prefix,
                list_name=list,
                where=where,
            )
            sorted_by = await find_order(connection, order)
        found = await gene_page(
            connection, selection, chosen, order=sorted_by, after=after, limit=limit
        )
    return _json({"genes": found.genes, "next_after": found.next_after})


@router.post(
    "/query",
    summary="Query many genes",
    response_description="An answer for each identifier, in their order",
    response_model=list[AnsweredQuery | AmbiguousQuery | UnansweredQuery],
    responses=refusals({400: "The body is not JSON", 413: "The body is larger than 64 KiB"}),
)
async def query_genes(query: GeneQuery, services: ServicesDep) -> Response:
    """Return genes by identifiers of any kind, in the order of the identifiers.

    There is one object for each identifier: a gene, the candidates of an ambiguous identifier, or
    `notfound`. The parameters and answers follow MyGene.info where possible.
    """
    given = query.q.replace(",", " ").split() if isinstance(query.q, str) else query.q
    names = [str(name) for name in given]
    if not 0 < len(names) <= MAX_IDENTIFIERS:
        raise WrongUse(f"{len(names):,} identifiers in q", allowed=f"1 to {MAX_IDENTIFIERS:,}")
    fields = _listed(query.fields)
    async with services.reads.connect() as connection:
        with in_parameters():
            kinds = kinds_of(_listed(query.scopes))
            selection = await find_selection(
                connection,
                sources=_listed(query.sources),
                fields=[] if fields == ["all"] else fields,
                as_of=query.as_of,
                snapshot=query.snapshot,
            )
        return _json(await answer_query(connection, names, kinds, selection))


_NAMES_A_GENE = {
    **refusals({404: "There is no such gene in the database, or it was not there at the moment"}),
    409: {"model": Ambiguity, "description": "Several genes have this name"},
}

Name = Annotated[str, Path(description=f"A name: {ANY_NAME}.", examples=["PKD1"])]


@router.get(
    "/{name}",
    summary="Show a gene",
    response_description="The gene",
    response_model=FoundGene,
    responses=_NAMES_A_GENE,
)
async def get_gene(
    *,
    name: Name,
    services: ServicesDep,
    shown: ShownDep,
) -> Response:
    """Return a gene by any of its names, in any case; `resolved_by` is the kind of the name.

    An approved symbol takes precedence over a previous symbol, and a previous symbol over an alias.
    If several genes have the name, the request is refused with a list of them, even if only one of
    them is in the database. Names are resolved as of now, also with `as_of` or `snapshot`.
    """
    async with services.reads.connect() as connection:
        selection = await shown.find(connection)
        try:
            found, gene = await read_gene(connection, name, selection)
        except AmbiguousName as error:
            return _ambiguous(error)
    return _json(found_gene(found, gene))


@router.get(
    "/{name}/history",
    summary="Show the history of a gene",
    response_description="Versions of the answers about the gene",
    response_model=VersionPage,
    responses=_NAMES_A_GENE,
)
async def get_history(
    *,
    name: Name,
    services: ServicesDep,
    shown: ShownDep,
    limit: Annotated[
        int,
        Query(ge=1, le=1_000, description="The maximum number of versions on the page."),
        IN_DIGITS,
    ] = 100,
    after: Annotated[
        str | None,
        Query(max_length=200, description="`next_after` of the previous page."),
    ] = None,
    data: Annotated[
        bool,
        Query(description="Whether to return the data of the versions.", examples=[False]),
    ] = True,
) -> Response:
    """Return the versions of the answers about a gene, by source, the newest first.

    A version is a state with its data. A release that confirms the answer does not create a
    version, but is listed in `releases`. `as_of` and `snapshot` leave out later versions.
    """
    async with services.reads.connect() as connection:
        selection = await shown.find(connection)
        try:
            _, gene, gene_id = await find_gene(connection, name)
        except AmbiguousName as error:
            return _ambiguous(error)
        versions, next_after = await gene_history(
            connection, gene_id, selection, data=data, after=after, limit=limit
        )
    return _json({"gene": named(gene), "versions": versions, "next_after": next_after})


def _json(answer: Any) -> Response:
    return Response(encode(answer), media_type="application/json")


def _listed(given: Iterable[str] | str | None) -> list[str]:
    if given is None:
        return []
    return given_names([given] if isinstance(given, str) else given)


def _ambiguous(error: AmbiguousName) -> JSONResponse:
    body = Ambiguity(
        error=error.found,
        allowed=error.allowed,
        remedy=error.remedy,
        candidates=error.candidates,
    )
    return JSONResponse(body.model_dump(mode="json"), 409)
