"""Routers of the two kinds of addresses: those of readers, and those of administrators."""

from fastapi import APIRouter, Security
from fastapi.security import HTTPBearer

from app.api.auth import ADMIN_PREFIX
from app.api.errors import refusals
from app.api.strict_requests import StrictRoute


def read_router(path: str, tag: str) -> APIRouter:
    """Return a router of addresses below ``/api`` that need a token only if ``READ_TOKEN`` is set.

    Args:
        path: below ``/api``, with a slash before it.
        tag: under which OpenAPI lists the routes.
    """
    return APIRouter(
        prefix=f"/api{path}",
        tags=[tag],
        route_class=StrictRoute,
        responses=refusals(
            {
                401: "`READ_TOKEN` is set, and the token is missing or wrong",
                422: "A parameter is unknown, or its value is not allowed",
                503: "The database is unavailable, or the API is busy",
            }
        ),
    )


def admin_router(path: str, tag: str) -> APIRouter:
    """Return a router of addresses below ``/api/admin``.

    Args:
        path: below ``/api/admin``, with a slash before it.
        tag: under which OpenAPI lists the routes.
    """
    return APIRouter(
        prefix=f"{ADMIN_PREFIX}{path}",
        tags=[tag],
        route_class=StrictRoute,
        # for OpenAPI only: `auth` checks the token before the route is known
        dependencies=[Security(HTTPBearer(auto_error=False))],
        responses=refusals(
            {
                401: "The token is missing or wrong",
                422: "A parameter or a field is unknown, or its value is not allowed",
                503: "No `ADMIN_TOKEN` is configured, the database is unavailable, or the API is"
                " busy",
            }
        ),
    )
