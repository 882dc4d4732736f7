"""Creates the routers of the two kinds of paths: for readers and for administrators."""

from fastapi import APIRouter, Security
from fastapi.security import HTTPBearer

from app.api.auth import ADMIN_PREFIX
from app.api.errors import refusals
from app.api.strict_requests import StrictRoute


def read_router(path: str, tag: str) -> APIRouter:
    """Return a router for paths below ``/api``, which need a token only if ``READ_TOKEN`` is set.

    Args:
        path: the path below ``/api``, with a leading slash.
        tag: the OpenAPI tag of the routes.
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
    """Return a router for paths below ``/api/admin``.

    Args:
        path: the path below ``/api/admin``, with a leading slash.
        tag: the OpenAPI tag of the routes.
    """
    return APIRouter(
        prefix=f"{ADMIN_PREFIX}{path}",
        tags=[tag],
        route_class=StrictRoute,
        # for OpenAPI only: `auth` checks the token before a route is matched
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
