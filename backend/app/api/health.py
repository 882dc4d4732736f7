import asyncio
import logging
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from app.api.errors import database_unavailable, refusals
from app.api.probes import Probes
from app.api.services import ServicesDep
from app.api.shared_query import Unavailable
from app.core.text.field_docs import describe_fields

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/health", tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """The API can serve requests.

    It can do so without Redis: wake-ups are sent once Redis is back.
    """

    model_config = ConfigDict(json_schema_extra=describe_fields)

    status: Literal["ready"] = "ready"
    redis: Literal["answers", "away", "not used"]
    """`not used` if the API executes runs itself."""


@router.get("/live", summary="Check that the process answers", response_description="It answers")
async def live() -> Live:
    """Return a constant. PostgreSQL and Redis are not queried."""
    return Live()


@router.get(
    "/ready",
    summary="Check that requests can be served",
    response_model=Ready,
    response_description="Requests can be served",
    responses=refusals({503: "The database is unavailable, or the API is busy"}),
)
async def ready(services: ServicesDep) -> Ready | JSONResponse:
    """Return whether PostgreSQL and Redis answer."""
    try:
        _, redis = await asyncio.gather(
            services.probes.check_postgres(), redis_answers(services.probes)
        )
    except Unavailable as error:
        logger.warning("the API is not ready, because PostgreSQL is unavailable: %s", error)
        return database_unavailable()
    return Ready(redis="not used" if redis is None else "answers" if redis else "away")


async def redis_answers(probes: Probes) -> bool | None:
    """Return whether Redis answers, or None if it is not used. Log why it does not answer.

    Raises:
        Busy: this process is too busy to find out.
    """
    if not probes.uses_redis:
        return None
    try:
        await probes.check_redis()
    except Unavailable as error:
        logger.warning("Redis is unavailable: %s", error)
        return False
    return True
