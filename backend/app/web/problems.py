"""Renders errors as pages that say what is wrong and what to do."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from app.api.errors import Busy
from app.api.streams import CLIENT_LEFT
from app.core.errors import Conflict, NotFound, UserError, WrongUse
from app.core.postgres.unavailable import DATABASE_ERRORS, is_unavailable
from app.doctor.recipes import recipe
from app.web.rendering import show_problem

logger = logging.getLogger(__name__)

_STATUS: dict[type[UserError], int] = {NotFound: 404, Conflict: 409, WrongUse: 422}


def install(pages: FastAPI) -> None:
    """Install the error handlers."""
    pages.add_exception_handler(UserError, _user_error)
    pages.add_exception_handler(RequestValidationError, _invalid)
    pages.add_exception_handler(HTTPException, _http)
    pages.add_exception_handler(Exception, _unexpected)
    pages.add_exception_handler(Busy, _busy)
    for unavailable in (*DATABASE_ERRORS, PoolTimeoutError):
        pages.add_exception_handler(unavailable, _database_error)


async def _user_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, UserError)
    statuses = (status for kind, status in _STATUS.items() if isinstance(error, kind))
    status = next(statuses, 503)
    commands = [f"type {recipe(step)}" for step in error.steps]
    remedy = "; ".join(filter(None, [error.remedy, *commands]))
    return show_problem(request, status, error.found, allowed=error.allowed, remedy=remedy)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = "; ".join(
        f"{'.'.join(str(part)[:80] for part in each['loc'][1:])}: {each['msg']}"
        for each in error.errors()[:10]
    )
    return show_problem(request, 422, found)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == CLIENT_LEFT:
        return Response(status_code=CLIENT_LEFT)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return show_problem(
            request, 404, "there is no such page", remedy="choose one of the pages above"
        )
    return show_problem(request, error.status_code, error.detail)


async def _database_error(request: Request, error: Exception) -> Response:
    if not (is_unavailable(error) or isinstance(error, PoolTimeoutError)):
        raise error
    logger.warning("%s: PostgreSQL is unavailable: %s", request.url.path, error)
    return show_problem(
        request,
        503,
        "the database is unavailable, or this server is busy",
        remedy="nothing is lost; load the page again in a few seconds",
    )


async def _busy(request: Request, error: Exception) -> Response:
    return show_problem(request, 503, str(error), remedy="load the page again in a few seconds")


async def _unexpected(request: Request, error: Exception) -> Response:
    del error  # the server logs the traceback
    return show_problem(request, 500, "an unexpected error occurred", remedy="see the API's log")
