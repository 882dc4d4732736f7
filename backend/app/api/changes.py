from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import Header, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data import changes
from app.annotation.data.changes import FORMATS, ORDERS, Asked, ChangePage, Wanted
from app.annotation.data.moments import ALLOWED
from app.annotation.genes.resolve import ANY_NAME
from app.annotation.sources import SOURCES
from app.api import routers
from app.api.services import Services, ServicesDep
from app.api.streams import VARY, stream_response, while_connected
from app.api.strict_requests import IN_DIGITS
from app.core.errors import WrongUse
from app.core.nearest import did_you_mean
from app.core.runs.views import LARGEST_ID, one_of

router = routers.read_router("/changes", "genes")

MEDIA_TYPES = {
    "json": "application/json",
    "jsonl": "application/jsonl",
    "tsv": "text/tab-separated-values",
}
"""By the name of the format."""

_ACCEPTED = {kind: name for name, kind in MEDIA_TYPES.items()} | {"application/x-ndjson": "jsonl"}

PAGE = 100
"""Changes on a page, unless `limit` says otherwise."""

_WHEN = f"{ALLOWED.capitalize()}, or the name of a snapshot. A day means its end, in UTC."


@router.get(
    "",
    summary="Say what changed",
    response_description="A page of changes, or all of them as a stream",
    response_model=ChangePage,
    responses={
        200: {
            "content": {
                kind: {"schema": {"type": "string"}}
                for name, kind in MEDIA_TYPES.items()
                if name != "json"
            }
        }
    },
)
async def list_changes(
    request: Request,
    services: ServicesDep,
    *,
    since: Annotated[
        str | None,
        Query(
            max_length=100,
            description="Compare the answers of this time with those of now. A day means its"
            " beginning, in UTC. Without `since`, `from` and `run`: 7 days ago.",
            examples=["2026-03-01"],
        ),
    ] = None,
    from_: Annotated[
        str | None,
        Query(
            alias="from",
            max_length=200,
            description=f"Compare the answers then. {_WHEN}",
            examples=["paper-2026"],
        ),
    ] = None,
    to: Annotated[
        str | None,
        Query(
            max_length=200,
            description="With `from`: compare them with those of this time; by default, of now.",
        ),
    ] = None,
    run: Annotated[
        int | None,
        Query(ge=1, le=LARGEST_ID, description="What this run changed.", examples=[1]),
        IN_DIGITS,
    ] = None,
    source: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Only the answers of this source.",
            examples=[[*SOURCES][-1]],
        ),
    ] = None,
    gene: Annotated[
        str | None,
        Query(
            max_length=200,
            description=f"Only the gene with this name: {ANY_NAME}.",
            examples=["PKD1"],
        ),
    ] = None,
    list: Annotated[  # noqa: A002 - the name in the address
        str | None,
        Query(
            max_length=200,
            description="Only genes on the list with this name.",
            examples=["ciliopathies"],
        ),
    ] = None,
    moving: Annotated[
        bool,
        Query(
            description="Also changes of fields that always move, such as dates of evaluation and"
            " numbers of articles."
        ),
    ] = False,
    order: Annotated[
        str,
        one_of(ORDERS),
        Query(
            max_length=100,
            description="What comes first: `gene`, all changes of a gene, or `source`, all changes"
            " of a source.",
            examples=["source"],
        ),
    ] = ORDERS[0],
    format: Annotated[  # noqa: A002 - the name in the address
        Annotated[str, one_of(MEDIA_TYPES)] | None,
        Query(
            max_length=100,
            description="`json` is a page. `jsonl` and `tsv` are streams of all changes: an object"
            " in a line, or a row for each changed field. By default, what `Accept` names.",
            examples=["tsv"],
        ),
    ] = None,
    limit: Annotated[
        int | None,
        Query(ge=1, le=500, description=f"The most changes on a page; {PAGE} by default."),
        IN_DIGITS,
    ] = None,
    after: Annotated[
        str | None,
        Query(max_length=200, description="`next_after` of the page before."),
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Return what was added, removed and altered, for each gene and source, with words for it.

    Two states are compared: an answer that changed and changed back is not listed. What happened to
    genes is among the changes: new symbols and identifiers, merged, split, withdrawn and imported
    genes.
    """
    asked = Asked(
        since=since,
        from_=from_,
        to=to,
        run=run,
        source=source,
        gene=gene,
        list=list,
        moving=moving,
        order=order,
        after=after,
    )
    form = _form(format, accept)
    if form != "json" and limit is not None:
        raise WrongUse(f"limit with format={form}", allowed="limit with format=json")
    if form != "json":
        return await stream_changes(request, services, asked, form)
    async with changes.reading(services.db) as connection:
        wanted = await changes.understand(connection, asked)
        reading = changes.page(connection, wanted, limit or PAGE)
        found, last = await while_connected(request, reading)
    body = changes.as_json(found, None if last is None else str(last))
    return Response(body, media_type=MEDIA_TYPES["json"], headers=VARY)


async def stream_changes(request: Request, services: Services, asked: Asked, form: str) -> Response:
    """Return all changes that somebody asks for, in one of the formats, while they are read.

    Raises:
        WrongUse: it cannot be answered.
        Busy: too many answers are being streamed.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(services.streams)
        connection = await stack.enter_async_context(changes.reading(services.db))
        wanted = await changes.understand(connection, asked)
        parts = _written(connection, wanted, form)
        return await stream_response(request, parts, stack, media_type=MEDIA_TYPES[form])


async def _written(
    connection: AsyncConnection, wanted: Wanted, form: str
) -> AsyncGenerator[bytes, None]:
    header = FORMATS[form].header
    parts = changes.stream(connection, wanted, FORMATS[form].write)
    try:
        if header:
            # with the first rows, so that an error before them can still be answered
            yield header + await anext(parts, b"")
        async for part in parts:
            if part:
                yield part
    finally:
        await parts.aclose()


def _form(name: str | None, accept: str) -> str:
    if name is None:
        kinds = (each.partition(";")[0].strip().lower() for each in accept.split(","))
        return next((_ACCEPTED[kind] for kind in kinds if kind in _ACCEPTED), "json")
    if name in MEDIA_TYPES:
        return name
    hint = did_you_mean(name, MEDIA_TYPES)
    raise WrongUse(f"unknown format {name[:80]!r}{hint}", allowed=", ".join(MEDIA_TYPES))
