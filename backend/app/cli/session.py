import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

import click
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.arq.client import connect
from app.core.arq.dispatcher import ArqDispatcher
from app.core.config import Settings, get_settings
from app.core.postgres.schema import check_schema, explain_refusals
from app.core.process import logs
from app.core.runs.views import LARGEST_ID
from app.core.workers.dispatcher import Dispatcher, InProcessDispatcher
from app.db.engine import create_engine

T = TypeVar("T")

RUN_ID = click.IntRange(1, LARGEST_ID)
"""The type of an argument that names a run."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with.

    Attributes:
        settings: of this process.
        db: PostgreSQL.
        dispatcher: sends wake-ups.
        redis: where arq is; None when the API executes runs itself.
    """

    settings: Settings
    db: AsyncEngine
    dispatcher: Dispatcher
    redis: Redis | None


def in_session(work: Callable[[Session], Awaitable[T]], *, migrated: bool = True) -> T:
    """Do a command's work.

    Args:
        work: what the command does.
        migrated: whether it needs the schema of this code.

    Raises:
        WrongUse: the settings cannot be used.
        UserError: PostgreSQL cannot be reached, or has another schema; and what ``work`` raises.
    """
    settings = get_settings()
    logs.configure(settings.log_level, people=True)
    return asyncio.run(_do(work, settings, migrated=migrated))


async def _do(work: Callable[[Session], Awaitable[T]], settings: Settings, *, migrated: bool) -> T:
    async with AsyncExitStack() as stack:
        db = create_engine(
            settings.database_url.get_secret_value(), session="kidney-genetics cli", pool_size=2
        )
        stack.push_async_callback(db.dispose)
        if migrated:
            await check_schema(db)
        redis: Redis | None = None
        dispatcher: Dispatcher = InProcessDispatcher()
        if settings.use_arq_worker:
            arq = redis = connect(settings.redis_url.get_secret_value(), settings.arq_queue_name)
            dispatcher = ArqDispatcher(arq, settings.arq_queue_name)
        stack.push_async_callback(dispatcher.close)
        with explain_refusals(db):
            return await work(Session(settings, db, dispatcher, redis))
