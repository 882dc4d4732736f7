"""A browser that knows the addresses of all pages."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi.routing import iter_route_contexts

from app.annotation.settings import Settings
from app.main import create_app
from harness.timing import WAIT, scaled

MARKUP = '<script>alert(1)</script>" onmouseover="alert(2)\u202e'

FILES = {"/genes/export", "/changes/table.tsv"}
"""Responses that a browser saves as files."""

NAMES = {"/schedules": "nightly", "/genes": "PKD1", "/sources": "hgnc"}
"""Existing objects by the prefix of their address. For others, id 1 is requested."""

Route = tuple[str, str]


class Browser(httpx.AsyncClient):
    """A browser that knows the addresses of all pages and reads only the headers of streams."""

    routes: list[Route]
    parameters: dict[str, list[str]]


class _Heads(httpx.AsyncBaseTransport):
    """Closes endless streams after their headers."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "/live/" not in request.url.path:
            whole = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            return await whole.handle_async_request(request)
        heads: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        left = asyncio.Event()
        scope = {
            "type": "http",
            "method": request.method,
            "scheme": "http",
            "path": request.url.path,
            "raw_path": request.url.raw_path,
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }

        async def receive() -> dict[str, Any]:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                heads.put_nowait(message)
                left.set()

        await self._app(scope, receive, send)
        head = heads.get_nowait()
        return httpx.Response(head["status"], headers=head["headers"])


def _parameters(route: Any) -> Iterator[str]:
    """Return the names of a route's parameters, including those of a model."""
    for each in getattr(getattr(route, "dependant", None), "query_params", ()):
        fields = getattr(each.field_info.annotation, "model_fields", None)
        if fields is None:
            yield each.alias
        else:
            yield from (field.alias or name for name, field in fields.items())


@asynccontextmanager
async def browsing(settings: Settings, **how: Any) -> AsyncIterator[Browser]:
    """A browser without a session. It follows no redirects."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        Browser(transport=_Heads(app), timeout=scaled(WAIT), **how) as browser,
    ):
        found = [*iter_route_contexts(app.state.pages.routes)]
        browser.routes = [
            (method, filled(each.path or "", "1"))
            for each in found
            for method in each.methods or ()
        ]
        browser.parameters = {
            each.path or "": [*_parameters(each)] for each in found if "GET" in (each.methods or ())
        }
        yield browser


def filled(path: str, number: str) -> str:
    """Return the address of an existing object."""
    name = next((name for start, name in NAMES.items() if path.startswith(start)), number)
    return path.replace("{name}", name).replace("{run_id}", number)


def is_static(path: str) -> bool:
    return path.startswith("/static/")
