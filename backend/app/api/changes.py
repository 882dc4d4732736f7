from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Annotated

from fastapi import Header, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data import changes
from app.annotation.data.changes import (
    FORMATS,
    ORDERS,
    ChangeCounts,
    ChangePage,
    ChangeRequest,
    ChangeSelection,
)
from app.api import routers
from app.api.change_filters import FiltersDep
from app.api.services import Services, ServicesDep
from app.api.streams import VARY, stream_response, while_connected
from app.api.strict_requests import IN_DIGITS
from app.core.errors import WrongUse
from app.core.text.field_docs import one_of
from app.core.text.nearest import did_you_mean

router = routers.read_router("/changes", "genes")

MEDIA_TYPES = {
    "json": "application/json",
    "jsonl": "application/jsonl",
    "tsv": "text/tab-separated-values",
}
"""The media types by the name of the format."""

_ACCEPTED = {kind: name for name, kind in MEDIA_TYPES.items()} | {"application/x-ndjson": "jsonl"}

DEFAULT_LIMIT = 100
"""The default number of changes on a page."""


@router.get(
    "",
    summary="List changes",
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
    filters: FiltersDep,
    *,
    order: Annotated[
        str,
        one_of(ORDERS),
        Query(
            max_length=100,
            description="Group the changes by `gene` or by `source`.",
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
        Query(
            ge=1,
            le=500,
            description=f"The maximum number of changes on a page; by default {DEFAULT_LIMIT}.",
        ),
        IN_DIGITS,
    ] = None,
    after: Annotated[
        str | None,
        Query(max_length=200, description="`next_after` of the previous page."),
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Return the changes of each gene and source, as fields and in words.

    Two states are compared, so an answer that changed and changed back is not listed. New symbols
    and identifiers, and merged, split, withdrawn and imported genes are listed, too.
    """
    change_request = replace(filters.change_request, order=order, after=after)
    form = _form(format, accept)
    if form != "json" and limit is not None:
        raise WrongUse(f"limit with format={form}", allowed="limit with format=json")
    if form != "json":
        return await stream_changes(request, services, change_request, form)
    async with changes.reading(services.db) as connection:
        selection = await changes.parse_request(connection, change_request)
        reading = changes.page(connection, selection, limit or DEFAULT_LIMIT)
        found, last = await while_connected(request, reading)
    body = changes.as_json(found, None if last is None else str(last))
    return Response(body, media_type=MEDIA_TYPES["json"], headers=VARY)


@router.get(
    "/counts",
    summary="Count changes",
    response_description="The numbers of each source",
)
async def count_changes(
    request: Request, services: ServicesDep, filters: FiltersDep
) -> ChangeCounts:
    """Count the genes whose answer changed, and those that gained something, for each source.

    Both versions of every answer are compared, as in the list, which takes seconds for a release
    that changed thousands of genes.
    """
    return await counted(request, services, filters.change_request)


async def counted(
    request: Request, services: Services, change_request: ChangeRequest
) -> ChangeCounts:
    """Count the changes that match a request, until the client disconnects.

    Raises:
        WrongUse: the request is not valid.
        Busy: too many responses are being streamed.
    """
    with services.streams:
        async with changes.reading(services.db) as connection:
            selection = await changes.parse_request(connection, change_request)
            return await while_connected(request, changes.count(connection, selection))


async def stream_changes(
    request: Request, services: Services, change_request: ChangeRequest, form: str
) -> Response:
    """Stream all changes that match a request in one of the formats, while they are read.

    Raises:
        WrongUse: the request is not valid.
        Busy: too many responses are being streamed.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(services.streams)
        connection = await stack.enter_async_context(changes.reading(services.db))
        selection = await changes.parse_request(connection, change_request)
        parts = _written(connection, selection, form)
        return await stream_response(request, parts, stack, media_type=MEDIA_TYPES[form])


async def _written(
    connection: AsyncConnection, selection: ChangeSelection, form: str
) -> AsyncGenerator[bytes, None]:
    header = FORMATS[form].header
    parts = changes.stream(connection, selection, FORMATS[form].write)
    try:
        if header:
            # sent together with the first rows, so that an earlier error still has its own response
            yield header + await anext(parts, b"")
        async for part in parts:
            if part:
                yield part
    finally:
        await parts.aclose()


def _form(name: str | None, accept: str) -> str:
    if name is None:
        kinds = (part.partition(";")[0].strip().lower() for part in accept.split(","))
        return next((_ACCEPTED[kind] for kind in kinds if kind in _ACCEPTED), "json")
    if name in MEDIA_TYPES:
        return name
    hint = did_you_mean(name, MEDIA_TYPES)
    raise WrongUse(f"unknown format {name[:80]!r}{hint}", allowed=", ".join(MEDIA_TYPES))
