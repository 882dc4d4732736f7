"""Gives all error responses the same form, without internals."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import compile_path

from app.api.calls import remedy_with_calls
from app.core.errors import Conflict, KidneyGeneticsError, NotFound, UserError, WrongUse
from app.core.postgres.schema import explain
from app.core.postgres.unavailable import DATABASE_ERRORS, is_unavailable
from app.core.text.field_docs import describe_fields
from app.db.sqlstate import sqlstate

logger = logging.getLogger(__name__)

_STATUS: dict[type[UserError], int] = {NotFound: 404, Conflict: 409, WrongUse: 422}

_NO_PERMISSION = frozenset({"42501", "25006"})
"""The SQLSTATEs of a missing privilege and of a read-only session."""

MAX_PROBLEMS = 10
"""The maximum number of problems of a request that the response names."""

_EXAMPLES = {
    "/api/admin/runs": '{"sources": ["clinvar"], "mode": "smart"}, for example',
    "/api/genes/query": '{"q": ["PKD1", "HGNC:12403"]}, for example',
}
"""Examples of bodies, by the end of the path."""

_UNREADABLE: dict[type[BaseException], str] = {
    RecursionError: "it is nested too deeply",
    UnicodeDecodeError: "it is not UTF-8",
    ClientDisconnect: "it did not arrive completely",
    # Python refuses to parse integers with more than 4,300 digits
    ValueError: "it contains a number with too many digits",
}


class Busy(KidneyGeneticsError):
    """This process is overloaded. PostgreSQL and Redis are not the cause."""


class Refusal(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(json_schema_extra=describe_fields)

    error: str
    """What is wrong."""
    allowed: str = ""
    """What would be right; empty if that is obvious."""
    remedy: str = ""
    """What to do about it, with the API call if there is one; empty if nothing can be done."""


def refusals(reasons: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI descriptions of a route's error responses, by status.

    FastAPI's default description is the name of the status, which depends on the Python version.
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
    """Return the response to a refused request."""
    body = Refusal(error=error, allowed=allowed, remedy=remedy)
    return JSONResponse(body.model_dump(), status, headers=headers)


def install(app: FastAPI) -> None:
    """Install handlers that give all error responses of an application this form."""
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
    for unavailable in (*DATABASE_ERRORS, ProgrammingError):
        app.add_exception_handler(unavailable, _database_error)
    for busy in (Busy, PoolTimeoutError):
        app.add_exception_handler(busy, _busy)


async def _user_error(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, UserError)
    statuses = (status for kind, status in _STATUS.items() if isinstance(error, kind))
    status = next(statuses, 503)
    return refuse(status, error.found, allowed=error.allowed, remedy=remedy_with_calls(error))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Name each problem and its place, but not the value, which may be a secret."""
    example = _example(request)
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    first = problems[0]
    if first["type"] == "json_invalid":
        at = f"{first['ctx']['error']} at {first['loc'][-1]}"
        return refuse(400, f"the body is not JSON: {at}", allowed=example)
    if first["loc"] == ("body",):
        empty = first["type"] == "missing"
        return refuse(
            422, "the body is empty" if empty else "the body is not a JSON object", allowed=example
        )
    found = "; ".join(_describe(problem) for problem in problems[:MAX_PROBLEMS])
    return refuse(422, found, allowed=example if first["loc"][0] == "body" else "")


def _describe(problem: Any) -> str:
    # the names of fields come from the client and may contain anything, so they are quoted
    path = [repr(part[:80]) if isinstance(part, str) else str(part) for part in problem["loc"][1:]]
    return " ".join([problem["loc"][0], ".".join(path)]).strip() + f": {problem['msg']}"


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST and error.__cause__ is not None:
        return refuse(
            400, f"the body cannot be read: {_why(error.__cause__)}", allowed=_example(request)
        )
    here = f"{request.method[:20]} {request.url.path[:200]!r}"
    paths = _paths(request.app)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return refuse(
            404,
            f"there is no such address: {here}",
            allowed=", ".join([*paths, request.app.openapi_url]),
        )
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # Starlette names the methods of the first matching route only
        methods = _methods(paths, request) or dict(error.headers or {}).get("Allow", "")
        return refuse(
            405,
            f"this method is not allowed here: {here}",
            allowed=methods,
            headers={"Allow": methods},
        )
    return refuse(error.status_code, error.detail, headers=error.headers)


def _example(request: Request) -> str:
    path = request.url.path
    return next((body for end, body in _EXAMPLES.items() if path.endswith(end)), "a JSON object")


def _why(cause: BaseException) -> str:
    """Explain why FastAPI could not read a body, from the cause of its error."""
    for kind, why in _UNREADABLE.items():
        if isinstance(cause, kind):
            return why
    logger.error("a body could not be read", exc_info=cause)
    return "see the API's log"


def _paths(app: FastAPI) -> dict[str, list[str]]:
    """Return the methods of each path in the OpenAPI document.

    They are read from the routes, because building the document blocks the event loop for more than
    100 ms.
    """
    found: dict[str, list[str]] = {}
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute) and route.include_in_schema:
            found.setdefault(str(route.path_format), []).extend(sorted(route.methods or ()))
    return found


def _methods(paths: Mapping[str, list[str]], request: Request) -> str:
    requested = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found = [
        method
        for path, methods in paths.items()
        if compile_path(path)[0].match(requested)
        for method in methods
    ]
    return ", ".join([*found, "HEAD"] if "GET" in found else found)


async def _database_error(request: Request, error: Exception) -> JSONResponse:
    what = f"{request.method} {request.url.path}"
    if sqlstate(error) in _NO_PERMISSION:
        known = explain(request.app.state.services.db, error)
        logger.error("%s: %s", what, known)
        return refuse(
            503,
            f"the database does not allow the API to do that: {getattr(error, 'orig', error)}",
            remedy="see the API's log",
        )
    if not is_unavailable(error):
        raise error  # handled as an unexpected error, with a traceback in the log
    logger.warning("%s: PostgreSQL is unavailable: %s", what, error)
    return database_unavailable()


def database_unavailable() -> JSONResponse:
    """Return the response while PostgreSQL is unavailable."""
    return refuse(
        503,
        "the database is unavailable",
        remedy="nothing is lost; try again in a few seconds",
        headers={"Retry-After": "5"},
    )


async def _busy(request: Request, error: Exception) -> JSONResponse:
    """Ask the client to retry, because this process is overloaded."""
    logger.warning("%s %s: the API is too busy: %s", request.method, request.url.path, error)
    return refuse(
        503,
        "the API is busy with other requests",
        remedy="nothing is lost; try again in a few seconds",
        headers={"Retry-After": "5"},
    )


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """Respond without details; the server logs the traceback."""
    del request, error
    return refuse(500, "an unexpected error occurred", remedy="see the API's log")
