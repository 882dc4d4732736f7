"""Requires a login for every page. It checks all paths, so that no page is left open."""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote

from starlette._utils import get_route_path
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.origin import (
    came_by_link,
    is_embedded_elsewhere,
    is_encrypted,
    is_from_these_pages,
)
from app.web.rendering import page, redirect, root_of, show_problem
from app.web.roles import Roles

SAFE_METHODS = frozenset({"GET", "HEAD"})

OPEN_PATHS = ("/login", "/static/")
"""Paths that do not require a login."""

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # browsers without Sec-Fetch-Site send the Origin of forms only with this policy
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    # for browsers that do not know `frame-ancestors`
    "x-frame-options": "DENY",
}
"""Headers of every response. Browsers do not run inline scripts or styles."""

SECURE_COOKIE = "__Host-kidney-genetics"
"""Browsers accept this cookie only over HTTPS, for all paths, and for this host alone."""

LOOPBACK_COOKIE = "kidney-genetics"
"""The cookie for a browser on the same machine without HTTPS."""


class Gate:
    """Requires a session, and rejects requests from pages of other servers.

    Args:
        app: the pages.
        roles: the tokens.
        routes: the routes of the pages.
    """

    def __init__(self, app: ASGIApp, roles: Roles, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._roles = roles
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        request = Request(scope, receive)
        answer = self._answer(request)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _answer(self, request: Request) -> ASGIApp | None:
        """Return the response to a rejected request; None if the request may pass."""
        path = get_route_path(request.scope)
        session = request.scope["session"] = self._roles.session(_cookie(request))
        is_safe = request.method in SAFE_METHODS
        foreign = is_embedded_elsewhere(request) if is_safe else not is_from_these_pages(request)
        if foreign:
            return show_problem(
                request,
                HTTPStatus.FORBIDDEN,
                "this request was not sent by a page of this server",
                remedy="open the page here, and use its links and forms",
            )
        # a missing page needs no login
        if path.startswith(OPEN_PATHS) or not is_page(self._routes, request.scope):
            return None
        if not self._roles.open:
            return show_problem(
                request,
                HTTPStatus.SERVICE_UNAVAILABLE,
                "no token is configured, so the pages are closed",
                remedy="set ADMIN_TOKEN, VIEWER_TOKEN or both, and restart the API",
            )
        if session is None:
            return _to_login(request, path)
        if not is_safe and not session.may_act and path != "/logout":
            return show_problem(
                request,
                HTTPStatus.FORBIDDEN,
                "you are logged in with the viewer's token, which only reads",
                remedy="log out, and log in with ADMIN_TOKEN",
            )
        return None


def is_page(routes: Sequence[BaseRoute], scope: Scope) -> bool:
    """Tell whether one of the routes matches a request."""
    return any(route.matches(scope)[0] is not Match.NONE for route in routes)


def cookie_name(request: Request) -> str:
    """Return the name of the cookie for this connection."""
    return SECURE_COOKIE if is_encrypted(request) else LOOPBACK_COOKIE


def _cookie(request: Request) -> str | None:
    return request.cookies.get(cookie_name(request))


def _to_login(request: Request, path: str) -> ASGIApp:
    if came_by_link(request):
        # browsers send no cookie after a link from another server's page or from a mail
        return page(request, "again.html")
    if request.method not in SAFE_METHODS or "hx-request" in request.headers:
        path = "/"  # a form or a fragment of a page is not a destination after the login
    elif request.url.query:
        path = f"{path}?{request.url.query}"
    to = f"/login?next={quote(path, safe='')}"
    if "hx-request" in request.headers:
        # the login cannot replace a fragment of a page, so the browser must navigate to it
        return Response(None, HTTPStatus.UNAUTHORIZED, {"HX-Redirect": root_of(request) + to})
    return redirect(request, to)
