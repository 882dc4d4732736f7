import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import click
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cli import logs
from app.core.config import Settings
from app.core.postgres.schema import check_schema, explain_refusals
from app.core.process.env_file import load_settings
from app.core.workers.dispatcher import Dispatcher, InProcessDispatcher
from app.db.bounds import MAX_EPOCH, MAX_ID
from app.db.engine import create_engine

T = TypeVar("T")
S = TypeVar("S", bound=Settings)

RUN_ID = click.IntRange(1, MAX_ID)
"""The type of an argument that names a run."""

EPOCH = click.IntRange(1, MAX_EPOCH)
"""The type of an option that names an attempt."""


@dataclass(frozen=True, slots=True)
class Session:
    """The connection and the settings of a command.

    Attributes:
        settings: the settings of this process.
        db: PostgreSQL.
    """

    settings: Settings
    db: AsyncEngine


def in_session(
    work: Callable[[Session], Awaitable[T]],
    *,
    settings: Settings | None = None,
    migrated: bool = True,
) -> T:
    """Connect to PostgreSQL and do a command's work.

    Args:
        work: the command's work.
        settings: the settings of this process; None reads those of the engine.
        migrated: whether the command needs the tables of this code's version.

    Raises:
        WrongUse: the settings cannot be used.
        UserError: PostgreSQL cannot be reached or has tables of another version, or ``work`` raised
            it.
    """
    settings = settings or load_command_settings()
    logs.configure(settings.log_level)
    return asyncio.run(_do(work, settings, migrated=migrated))


def read_database(query: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Connect to PostgreSQL, and execute one query.

    Raises:
        UserError: see :func:`in_session`.
    """

    async def work(session: Session) -> T:
        async with session.db.connect() as connection:
            return await query(connection)

    return in_session(work)


def change_database(operation: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Connect to PostgreSQL, and execute one operation in a transaction.

    Raises:
        UserError: see :func:`in_session`.
    """

    async def work(session: Session) -> T:
        async with session.db.begin() as connection:
            return await operation(connection)

    return in_session(work)


def load_command_settings(model: type[S] = Settings) -> S:  # type: ignore[assignment]
    """Read the settings that a command needs.

    Args:
        model: the settings to read; by default, those of the engine.

    Raises:
        WrongUse: the settings cannot be used.
    """
    return load_settings(model=model, other_settings=_settings_of_sources)


def _settings_of_sources() -> Collection[str]:
    # called only if `.env` has a name that is not the engine's, because importing the sources is
    # slow
    from app.annotation.settings import Settings

    return Settings.model_fields


async def _do(work: Callable[[Session], Awaitable[T]], settings: Settings, *, migrated: bool) -> T:
    db = create_engine(
        settings.database_url.get_secret_value(), session="kidney-genetics cli", pool_size=2
    )
    try:
        if migrated:
            await check_schema(db)
        with explain_refusals(db):
            return await work(Session(settings, db))
    finally:
        await db.dispose()


@asynccontextmanager
async def open_dispatcher(settings: Settings) -> AsyncIterator[Dispatcher]:
    """Yield a dispatcher for wake-ups, and close its connection to Redis at the end."""
    dispatcher: Dispatcher = InProcessDispatcher()
    if settings.use_arq_worker:
        from app.core.arq.client import connect
        from app.core.arq.dispatcher import ArqDispatcher

        queue = settings.arq_queue_name
        dispatcher = ArqDispatcher(connect(settings.redis_url.get_secret_value(), queue), queue)
    try:
        yield dispatcher
    finally:
        await dispatcher.close()
