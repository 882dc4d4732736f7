"""Every answer that is an error has one shape, and none shows what is inside."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.core.engine import LOST_DATABASE
from app.core.errors import Conflict, NotFound, UserError, WrongUse

logger = logging.getLogger(__name__)

DATABASE_AWAY = (*LOST_DATABASE, PoolTimeoutError)
"""What a query raises when PostgreSQL has gone away, or has no connection to spare."""

_STATUS: dict[type[UserError], int] = {NotFound: 404, Conflict: 409, WrongUse: 422}

MOST_PROBLEMS = 10
"""So many problems of a body are named."""


class Refusal(BaseModel):
    """The body of every error."""

    error: str
    allowed: str = ""
    remedy: str = ""


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
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _database_away)


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
    if problems[0]["type"] == "json_invalid":
        return refuse(
            400,
            f"the body is no JSON: {problems[0]['ctx']['error']} at {problems[0]['loc'][-1]}",
            allowed='{"sources": ["clinvar"], "mode": "smart"}, for example',
        )
    found = "; ".join(_in_words(problem) for problem in problems[:MOST_PROBLEMS])
    of_the_body = any(problem["loc"] == ("body",) for problem in problems)
    remedy = "send a JSON object with `Content-Type: application/json`" if of_the_body else ""
    return refuse(422, found, remedy=remedy)


def _in_words(problem: Any) -> str:
    # a field's name is the client's own: quoted, as it may hold anything
    path = [repr(part[:80]) if isinstance(part, str) else str(part) for part in problem["loc"][1:]]
    return " ".join([problem["loc"][0], ".".join(path)]).strip() + f": {problem['msg']}"


async def _http(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, HTTPException)
    return refuse(error.status_code, error.detail, headers=error.headers)


async def _database_away(request: Request, error: Exception) -> JSONResponse:
    logger.warning("%s %s: PostgreSQL is away: %s", request.method, request.url.path, error)
    return database_away()


def database_away() -> JSONResponse:
    """Build the answer for as long as PostgreSQL is away."""
    return refuse(
        503,
        "the database is away",
        remedy="nothing is lost; try again in a few seconds",
        headers={"Retry-After": "5"},
    )


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """Answer; the server logs the traceback."""
    del request, error
    return refuse(500, "something went wrong here", remedy="the API's log says what")
