import asyncio
import logging
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from app.api.errors import database_away, refusals
from app.api.probes import Probes
from app.api.question import Away
from app.api.services import Uses

logger = logging.getLogger(__name__)

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
    responses=refusals({503: "The database is away, or the API is busy"}),
)
async def ready(uses: Uses) -> Ready | JSONResponse:
    """Ask PostgreSQL, and look at Redis."""
    try:
        _, redis = await asyncio.gather(uses.probes.postgres(), redis_answers(uses.probes))
    except Away as error:
        logger.warning("not ready, PostgreSQL is away: %s", error)
        return database_away()
    return Ready(redis="not used" if redis is None else "answers" if redis else "away")


async def redis_answers(probes: Probes) -> bool | None:
    """Tell whether Redis answers, and log why it does not; None where it is not used.

    Raises:
        Busy: this process has too much to do to tell.
    """
    if not probes.uses_redis:
        return None
    try:
        await probes.redis()
    except Away as error:
        logger.warning("Redis is away: %s", error)
        return False
    return True
