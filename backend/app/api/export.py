import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Annotated, Any

from fastapi import Query, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.annotation.data.export.describing import described
from app.annotation.data.export.folder import export_folder
from app.annotation.data.export.formats import FORMATS
from app.annotation.data.export.planning import ExportRequest, Plan, format_of, plan
from app.annotation.data.export.process import READ_BYTES, Export
from app.annotation.data.export.running import begin, consistent
from app.annotation.upstream import usable_cache_dir
from app.api import routers
from app.api.conditional import accepts_gzip
from app.api.errors import refusals, refuse
from app.api.export_slots import RETRY_AFTER, TooManyExports
from app.api.head_requests import IS_HEAD
from app.api.parameters import (
    AS_OF,
    EXAMPLE_FIELDS,
    LIST,
    ORDER,
    PREFIX,
    SNAPSHOT,
    SOURCES,
    WHERE,
    given_names,
)
from app.api.services import Services, ServicesDep
from app.api.streams import send_while_connected

logger = logging.getLogger(__name__)

router = routers.read_router("/export", "export")

_CONTENT: dict[str, dict[str, Any]] = {
    form.media_type.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
    for form in FORMATS.values()
}


@router.get(
    "",
    summary="Export genes and annotations",
    response_description="The table, as a file",
    response_class=Response,
    responses={
        200: {"content": _CONTENT},
        **refusals(
            {
                503: "The database is unavailable, or there are too many exports at a time",
            }
        ),
    },
)
async def export(
    request: Request,
    services: ServicesDep,
    *,
    format: Annotated[  # noqa: A002 - the name of the parameter
        str, Query(description=f"One of {', '.join(FORMATS)}.", examples=["parquet"])
    ] = "tsv",
    sources: SOURCES = [],  # noqa: B006
    fields: Annotated[
        list[str],
        Query(
            description="The fields to export, separated by commas; by default all fields of"
            " the sources. The name of a source, or of an object in its data, selects all"
            " of its fields, and `FIELD.KEY` selects one key of a map.",
            examples=[[",".join(EXAMPLE_FIELDS)]],
        ),
    ] = [],  # noqa: B006
    list: LIST = None,  # noqa: A002 - the name of the parameter
    prefix: PREFIX = None,
    where: WHERE = [],  # noqa: B006
    order: ORDER = "import",
    as_of: AS_OF = None,
    snapshot: SNAPSHOT = None,
    long: Annotated[
        str | None,
        Query(
            description="The long form: one row for each gene and entry of this field, which"
            " is a list or a map."
        ),
    ] = None,
    columns: Annotated[
        bool, Query(description="Return only the data dictionary, which defines the columns.")
    ] = False,
) -> Response:
    """Return a table with one row for each gene, or the data dictionary.

    The answer begins as soon as the request has been checked, and reads one state of the database.
    At most a few exports are executed at a time; a further one is answered with 503 and
    `Retry-After`.
    """
    export_request = ExportRequest(
        format=format_of(format).name,
        sources=_names(sources),
        fields=_names(fields),
        genes=list,
        prefix=prefix,
        where=where,
        order=order,
        as_of=as_of,
        snapshot=snapshot,
        long=long,
    )
    if columns:
        async with consistent(services.db) as connection:
            planned = await plan(connection, export_request)
        headers = _headers(planned, request, columns=True)
        return Response(described(planned.table.columns, format), 200, headers)
    try:
        return await exported(request, services, export_request)
    except TooManyExports:
        return refuse(
            503,
            "too many exports at a time",
            remedy="try again when one of them has ended",
            headers={"Retry-After": str(RETRY_AFTER)},
        )


async def exported(request: Request, services: Services, export_request: ExportRequest) -> Response:
    """Start an export, and return the response that streams it.

    Args:
        request: the request. The response to HEAD has only the headers.
        services: the services, with the slots for exports.
        export_request: what to export. Its format must have been checked.

    Raises:
        WrongUse, UserError: see `planning.plan`.
        TooManyExports: the maximum number of exports is running.
    """
    if IS_HEAD in request.scope:
        async with consistent(services.db) as connection:
            planned = await plan(connection, export_request)
        # streamed like the file, because an empty body would get a length and an ETag of its own
        return StreamingResponse(_nothing(), 200, _headers(planned, request, columns=False))
    async with AsyncExitStack() as stack:
        stack.enter_context(services.export_slots)
        folder = stack.enter_context(export_folder(usable_cache_dir(services.settings.cache_dir)))
        planned, started = await stack.enter_async_context(
            begin(
                services.db,
                export_request,
                output=asyncio.subprocess.PIPE,
                folder=folder,
                gzip=_gzip(request, export_request.format),
            )
        )
        headers = _headers(planned, request, columns=False)
        return _Streamed(started, stack.pop_all(), headers)
    raise AssertionError("unreachable: the context suppresses no error")


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


def _names(given: Sequence[str]) -> Sequence[str] | None:
    return given_names(given) if given else None


def _gzip(request: Request, name: str) -> bool:
    """Return whether to compress the response. Parquet files and workbooks already are."""
    return FORMATS[name].is_text and accepts_gzip(request.headers.get("Accept-Encoding", ""))


def _headers(planned: Plan, request: Request, *, columns: bool) -> dict[str, str]:
    found = FORMATS[planned.table.format]
    name = planned.name.replace(".", ".columns.", 1) if columns else planned.name
    headers = {
        "Content-Type": found.media_type,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    # the export's process compresses the file; other responses are compressed by a middleware
    if not columns and _gzip(request, found.name):
        headers["Content-Encoding"] = "gzip"
    return headers


class _Streamed(Response):
    """Streams an export while its process writes it, and ends the process with the request.

    Args:
        export: the started export.
        until_then: the resources to release at the end of the request.
        headers: the headers of the response.
    """

    def __init__(
        self, export: Export, until_then: AsyncExitStack, headers: Mapping[str, str]
    ) -> None:
        self._export = export
        self._until_then = until_then
        self.status_code = 200
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        del scope
        async with self._until_then:
            await send_while_connected(receive, self._stream(send))

    async def _stream(self, send: Send) -> None:
        """Send the output. An error aborts the connection, so that the client detects the failure.

        Raises:
            ExportFailed, ExportProcessDied: the export could not be completed.
        """
        output = self._export.output
        assert output is not None
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        while part := await output.read(READ_BYTES):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await self._export.finish()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
