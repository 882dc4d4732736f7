import asyncio
import logging
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.api.errors import Refusal, database_away
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

    status: Literal["ready"] = "ready"
    redis: Literal["answers", "away", "not used"]


@router.get("/live", summary="Does the process answer?")
async def live() -> Live:
    """Say so, whatever else is away."""
    return Live()


@router.get(
    "/ready",
    summary="Can requests be served?",
    response_model=Ready,
    responses={503: {"model": Refusal}},
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
