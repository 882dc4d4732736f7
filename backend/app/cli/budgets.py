"""Shows the request budgets. It is a separate module, because importing the sources is slow."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from rich.console import Console

from app.annotation.overview.budgets import HostBudget, Status, read_budgets, status
from app.annotation.settings import Settings, get_settings
from app.cli.output import cells, duration, table
from app.cli.session import Session, in_session
from app.core.redis.budgets import RedisBudgets
from app.core.redis.health_line import HEALTH_LINE_TIMEOUT, read_health_line
from app.core.redis.pool import new_pool


def read_status() -> tuple[Status, bool]:
    """Return the workers, the queue and the request budgets, and whether there are arq workers."""
    settings = get_settings()

    async def do(session: Session) -> Status:
        async with redis_of_workers(settings) as redis:
            shared = None if redis is None else RedisBudgets(redis)
            budgets = await read_budgets(settings, shared)
            health = await read_health_line(redis)
        async with session.db.connect() as connection:
            return await status(connection, budgets, arq_health=health)

    return in_session(do, settings=settings), settings.use_arq_worker


def show(console: Console, budgets: Sequence[HostBudget] | None) -> None:
    """Print the budgets that are in use."""
    if budgets is None:
        console.print("the use of the request budgets is unknown: Redis is unavailable or not used")
        return
    if not (used := [budget for budget in budgets if not budget.is_idle]):
        console.print("no request budget is in use")
        return
    shown = table("service", "allowed", "used", "wait per request")
    for budget in used:
        paused = f"paused by the service for {duration(budget.paused)}" if budget.paused else ""
        shown.add_row(
            *cells(
                budget.host,
                f"{budget.rate:g}/s",
                f"{budget.used:.0%}",
                paused or (duration(budget.wait) if budget.wait else "no"),
            )
        )
    console.print(shown)


@asynccontextmanager
async def redis_of_workers(settings: Settings) -> AsyncIterator[Redis | None]:
    """Connect to the Redis of the arq workers; yield None if arq is not used."""
    if not settings.use_arq_worker:
        yield None
        return
    url = settings.redis_url.get_secret_value()
    redis = Redis(connection_pool=new_pool(url, socket_connect_timeout=HEALTH_LINE_TIMEOUT))
    try:
        yield redis
    finally:
        await redis.aclose(close_connection_pool=True)
