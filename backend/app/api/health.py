import asyncio
import logging
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.api.errors import database_away, refusals
from app.api.services import Uses

logger = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that a server has to answer a probe."""

router = APIRouter(prefix="/health", tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """Requests can be served. Redis may be away: a run that is asked for then is rung later."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    status: Literal["ready"] = "ready"
    redis: Literal["answers", "away", "not used"]
    """`not used` where the API executes runs itself."""


@router.get("/live", summary="Tell whether the process answers", response_description="It answers")
async def live() -> Live:
    """Say so, whatever else is away."""
    return Live()


@router.get(
    "/ready",
    summary="Tell whether requests can be served",
    response_model=Ready,
    response_description="They can",
    responses=refusals({503: "The database is away"}),
)
async def ready(uses: Uses) -> Ready | JSONResponse:
    """Ask PostgreSQL, and look at Redis."""
    try:
        async with asyncio.timeout(PATIENCE), uses.db.connect() as connection:
            await connection.execute(text("SELECT FROM runs LIMIT 1"))
    except (SQLAlchemyError, OSError) as error:
        logger.warning("not ready, PostgreSQL is away: %s", error or "no answer")
        return database_away()
    return Ready(redis=await look_at_redis(uses))


async def look_at_redis(uses: Uses) -> Literal["answers", "away", "not used"]:
    """Tell whether Redis answers; an error is logged and not raised."""
    if uses.redis is None:
        return "not used"
    try:
        async with asyncio.timeout(PATIENCE):
            await uses.redis.ping()
    except (RedisError, OSError) as error:
        logger.warning("Redis is away: %s", error or "no answer")
        return "away"
    return "answers"
