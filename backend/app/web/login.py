"""The login and logout. The token is sent once, in the body of a request."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.web.attempts import Attempts
from app.web.gate import cookie_name
from app.web.origin import is_encrypted, is_loopback, local_path
from app.web.rendering import page, redirect
from app.web.roles import LIFETIME, Roles

MAX_TOKEN = 4_096


def login_router(roles: Roles) -> APIRouter:
    """Return the routes of the login.

    Args:
        roles: the tokens.
    """
    router = APIRouter()
    attempts = Attempts()

    def show(request: Request, to: str, status: int = 200, problem: str = "") -> Response:
        usable = is_encrypted(request) or is_loopback(request)
        values = {"next": local_path(to) or "/", "problem": problem, "usable": usable}
        return page(request, "login.html", status, open=roles.open, **values)

    @router.get("/login")
    async def form(request: Request, next: str = "/") -> Response:  # noqa: A002 - its usual name
        return show(request, next)

    @router.post("/login")
    async def log_in(
        request: Request,
        token: Annotated[str, Form(max_length=MAX_TOKEN)] = "",
        next: Annotated[str, Form()] = "/",  # noqa: A002 - its usual name
    ) -> Response:
        client = request.client.host if request.client else ""
        if not (is_encrypted(request) or is_loopback(request)):
            return show(request, next, HTTPStatus.FORBIDDEN)
        if (wait := attempts.wait(client)) > 0:
            problem = f"too many wrong tokens; try again in {wait:.0f} s"
            answer = show(request, next, HTTPStatus.TOO_MANY_REQUESTS, problem)
            answer.headers["retry-after"] = f"{wait:.0f}"
            return answer
        role = roles.role_of(token.strip())
        if role is None:
            attempts.failed(client)
            return show(request, next, HTTPStatus.UNAUTHORIZED, "the token is wrong")
        attempts.succeeded(client)
        answer = redirect(request, local_path(next) or "/")
        answer.set_cookie(
            cookie_name(request),
            roles.cookie(role),
            max_age=LIFETIME[role],
            path="/",
            secure=is_encrypted(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        answer = redirect(request, "/login")
        answer.delete_cookie(
            cookie_name(request),
            path="/",
            secure=is_encrypted(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    return router
