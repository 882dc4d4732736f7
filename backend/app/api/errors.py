"""Every answer that is an error has one shape, and none shows what is inside."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import compile_path

from app.core.errors import Conflict, KidneyGeneticsError, NotFound, UserError, WrongUse
from app.core.postgres.away import LOST_DATABASE, is_away
from app.core.postgres.schema import explain
from app.db.sqlstate import sqlstate

logger = logging.getLogger(__name__)

_STATUS: dict[type[UserError], int] = {NotFound: 404, Conflict: 409, WrongUse: 422}

_REFUSED = frozenset({"42501", "25006"})
"""SQLSTATEs of a right that the API's role does not have, and of a session that is read-only."""

MOST_PROBLEMS = 10
"""So many problems of a body are named."""

_EXAMPLE = '{"sources": ["clinvar"], "mode": "smart"}, for example'
"""There is one address that takes a body."""


_UNREADABLE: dict[type[BaseException], str] = {
    RecursionError: "it is nested too deeply",
    UnicodeDecodeError: "it is no UTF-8",
    ClientDisconnect: "it did not arrive whole",
    # Python reads no whole number of more than 4,300 digits
    ValueError: "it has a number of too many digits",
}


class Busy(KidneyGeneticsError):
    """This process has too much to do to answer in time; no service is to blame."""


class Refusal(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    error: str
    """What is wrong."""
    allowed: str = ""
    """What would be right; empty when there is nothing to say."""
    remedy: str = ""
    """What mends it; empty when there is nothing to say."""


def refusals(reasons: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Describe to OpenAPI when a route refuses a request, by status.

    What FastAPI writes by itself is the status' name, which is not the same under every Python.
    """
    return {status: {"model": Refusal, "description": why} for status, why in reasons.items()}


def refuse(
    status: int,
    error: str,
    *,
    allowed: str = "",
    remedy: str = "",
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Build the answer to a request that is refused."""
    body = Refusal(error=error, allowed=allowed, remedy=remedy)
    return JSONResponse(body.model_dump(), status, headers=headers)


def install(app: FastAPI) -> None:
    """Let an application answer errors this way."""
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
    for away in (*LOST_DATABASE, ProgrammingError):
        app.add_exception_handler(away, _database_error)
    for busy in (Busy, PoolTimeoutError):
        app.add_exception_handler(busy, _busy)


async def _user_error(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, UserError)
    status = _STATUS.get(type(error), 503)
    return refuse(status, error.found, allowed=error.allowed, remedy=error.remedy)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong where, without repeating what was sent: it may be a secret."""
    del request
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    first = problems[0]
    if first["type"] == "json_invalid":
        at = f"{first['ctx']['error']} at {first['loc'][-1]}"
        return refuse(400, f"the body is no JSON: {at}", allowed=_EXAMPLE)
    if first["loc"] == ("body",):
        empty = first["type"] == "missing"
        return refuse(
            422, "the body is empty" if empty else "the body is no JSON object", allowed=_EXAMPLE
        )
    found = "; ".join(_in_words(problem) for problem in problems[:MOST_PROBLEMS])
    return refuse(422, found, allowed=_EXAMPLE if first["loc"][0] == "body" else "")


def _in_words(problem: Any) -> str:
    # a field's name is the client's own: quoted, as it may hold anything
    path = [repr(part[:80]) if isinstance(part, str) else str(part) for part in problem["loc"][1:]]
    return " ".join([problem["loc"][0], ".".join(path)]).strip() + f": {problem['msg']}"


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST and error.__cause__ is not None:
        return refuse(400, f"the body cannot be read: {_why(error.__cause__)}", allowed=_EXAMPLE)
    here = f"{request.method[:20]} {request.url.path[:200]!r}"
    paths: dict[str, dict[str, object]] = request.app.openapi()["paths"]
    if error.status_code == HTTPStatus.NOT_FOUND:
        return refuse(
            404,
            f"there is no such address: {here}",
            allowed=", ".join([*paths, request.app.openapi_url]),
        )
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # Starlette names those of the first route of this address only
        methods = _methods(paths, request) or dict(error.headers or {}).get("Allow", "")
        return refuse(
            405, f"not to be done here: {here}", allowed=methods, headers={"Allow": methods}
        )
    return refuse(error.status_code, error.detail, headers=error.headers)


def _why(cause: BaseException) -> str:
    """Say why FastAPI could not read a body: what it did not expect itself, it raises from."""
    for kind, why in _UNREADABLE.items():
        if isinstance(cause, kind):
            return why
    logger.error("a body could not be read", exc_info=cause)
    return "the API's log says why"


def _methods(paths: Mapping[str, Mapping[str, object]], request: Request) -> str:
    asked = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found = [
        method.upper()
        for path, methods in paths.items()
        if compile_path(path)[0].match(asked)
        for method in methods
    ]
    return ", ".join([*found, "HEAD"] if "GET" in found else found)


async def _database_error(request: Request, error: Exception) -> JSONResponse:
    what = f"{request.method} {request.url.path}"
    if sqlstate(error) in _REFUSED:
        known = explain(request.app.state.services.db, error)
        logger.error("%s: %s", what, known)
        return refuse(
            503,
            f"the database does not let the API do that: {getattr(error, 'orig', error)}",
            remedy="the API's log says what helps",
        )
    if not is_away(error):
        raise error  # it is answered as what is not expected, and its traceback is logged
    logger.warning("%s: PostgreSQL is away: %s", what, error)
    return database_away()


def database_away() -> JSONResponse:
    """Build the answer for as long as PostgreSQL is away."""
    return refuse(
        503,
        "the database is away",
        remedy="nothing is lost; try again in a few seconds",
        headers={"Retry-After": "5"},
    )


async def _busy(request: Request, error: Exception) -> JSONResponse:
    """Ask for patience: that this process has too much to do says nothing about PostgreSQL."""
    logger.warning("%s %s: too much to do: %s", request.method, request.url.path, error)
    return refuse(
        503,
        "the API is busy with other requests",
        remedy="nothing is lost; try again in a few seconds",
        headers={"Retry-After": "5"},
    )


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """Answer; the server logs the traceback."""
    del request, error
    return refuse(500, "something went wrong here", remedy="the API's log says what")
