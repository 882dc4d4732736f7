"""Assembles the pages, which are an application separate from the API."""

from functools import cache

from fastapi import APIRouter, FastAPI
from starlette._utils import get_route_path
from starlette.datastructures import Headers
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.annotation.settings import Settings
from app.api.body_limit import BodyLimit
from app.web import (
    assets,
    changes,
    doctor,
    gene,
    genes,
    now,
    problems,
    run,
    runs,
    schedules,
    search,
    sources,
    workers,
)
from app.web.gate import Gate, is_page
from app.web.live import Live
from app.web.login import login_router
from app.web.new_run import new_run_router
from app.web.notifications import notifications_router
from app.web.roles import Roles

_OF_THE_API = ("/api", "/health", "/metrics", "/openapi.json")


@cache
def _routes() -> list[BaseRoute]:
    """Return the routes that do not depend on settings, shared by all applications of a process.

    FastAPI compiles routes at the first request, which takes longer than most requests do.
    """
    together = APIRouter()
    # `/genes/export` comes before `/genes/{name}`
    for router in (
        now.router,
        runs.router,
        run.router,
        sources.router,
        workers.router,
        genes.router,
        doctor.router,
        gene.router,
        schedules.router,
        search.router,
        changes.router,
    ):
        together.include_router(router)
    return together.routes


def create_pages(settings: Settings) -> FastAPI:
    """Create the pages.

    Args:
        settings: the settings with the tokens, and those of the sources.
    """
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    roles = pages.state.roles = Roles(settings.admin_token, settings.viewer_token)
    pages.state.live = Live()
    problems.install(pages)
    # `/runs/new` comes before `/runs/{run_id}`
    for router in (login_router(roles), new_run_router(settings), notifications_router(settings)):
        pages.include_router(router)
    pages.router.routes += _routes()
    pages.add_route("/static/{digest}/{name}", assets.serve)
    return pages


class Pages:
    """Routes requests for pages to the pages, and all others to the API.

    If an address does not exist, a client that accepts HTML gets a page, and any other client JSON.

    Args:
        app: the API.
        pages: the pages.
    """

    def __init__(self, app: ASGIApp, pages: FastAPI) -> None:
        self._app = app
        self._pages = pages
        # outermost, so that its headers are also sent with responses of a middleware
        self._guarded = Gate(BodyLimit(pages), pages.state.roles, pages.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI connection."""
        chosen = self._guarded if self._is_page(scope) else self._app
        await chosen(scope, receive, send)

    def _is_page(self, scope: Scope) -> bool:
        if scope["type"] != "http":
            return False
        path = get_route_path(scope)
        if any(path == each or path.startswith(f"{each}/") for each in _OF_THE_API):
            return False
        accepted = Headers(scope=scope).get("accept", "")
        return "text/html" in accepted or is_page(self._pages.routes, scope)
