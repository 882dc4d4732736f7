"""The API's composition root. `make api` and `uvicorn app.main:create_app --factory` serve it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from redis.exceptions import RedisError
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import __version__
from app.annotation.data.export.folder import remove_abandoned
from app.annotation.data.retention import retention
from app.annotation.notices.notifier import start_notifier
from app.annotation.refresh.forecast import limiter_of_workers
from app.annotation.refresh.pipeline import Pipeline
from app.annotation.refresh.requests import plan
from app.annotation.scheduled import actions
from app.annotation.settings import Settings, get_settings
from app.api import (
    changes,
    doctor,
    errors,
    export,
    genes,
    health,
    lists,
    metrics,
    notifications,
    resolve,
    rollback,
    runs,
    schedules,
    search,
    snapshots,
    sources,
    workers,
)
from app.api.auth import AdminOnly, ReadersOnly
from app.api.body_limit import BodyLimit
from app.api.conditional import Conditional
from app.api.head_requests import HeadRequests
from app.api.probes import Probes
from app.api.services import Services
from app.core.arq.client import connect
from app.core.arq.dispatcher import ArqDispatcher
from app.core.errors import UserError
from app.core.notify.ping import start_ping
from app.core.postgres.schema import check_schema
from app.core.process import logs
from app.core.process.exits import exit_on_user_error
from app.core.process.guard import guard
from app.core.process.signals import as_sigterm
from app.core.process.systemd import Supervised
from app.core.process.version import version
from app.core.redis import installation
from app.core.redis.budgets import LocalBudgets, RedisBudgets
from app.core.redis.rate_limits import LocalRateLimiter
from app.core.workers.dispatcher import InProcessDispatcher
from app.core.workers.engine import Engine
from app.core.workers.executor import Executor
from app.db.engine import create_engine
from app.doctor.kept import KeptResults
from app.doctor.recipes import explain, recipe
from app.web.app import Pages, create_pages

logger = logging.getLogger(__name__)

POOL_SIZE = 10
"""Connections to PostgreSQL for requests. Further requests wait for one of them."""

POOL_TIMEOUT = 30.0
"""Seconds that a request waits for a connection before it is answered with 503."""

REDIS_CHECK_TIMEOUT = 3.0
"""Seconds to wait for Redis at the start."""

POLL_INTERVAL = 1.0
"""Seconds between two polls for runs that another process created, such as the command line."""


@cache
def _routes() -> list[BaseRoute]:
    """Return the routes of the API.

    FastAPI compiles the routes at the first request. All applications of a process share them,
    because this takes longer than most requests, and tests create many applications.
    """
    together = APIRouter()
    for router in (
        runs.router,
        workers.router,
        schedules.router,
        notifications.router,
        doctor.router,
        genes.router,
        changes.router,
        resolve.router,
        search.router,
        sources.router,
        snapshots.router,
        snapshots.admin_router,
        rollback.router,
        lists.router,
        lists.admin_router,
        export.router,
        health.router,
        metrics.router,
    ):
        together.include_router(router)
    return together.routes


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application.

    Args:
        settings: the settings; by default those of the process.

    Raises:
        SystemExit: the settings of the process cannot be used.
    """
    examined = settings
    if settings is None:
        guard()
        with exit_on_user_error(explain):
            settings = get_settings()
    app = FastAPI(
        title="Kidney genetics",
        summary="Gene annotations, and the runs that refresh them",
        version=__version__,
        lifespan=_lifespan,
        routes=_routes(),
        # off, because both pages load scripts from the internet and are blank without access to it
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    # without given settings, the doctor reads them again, because it checks the present `.env`
    app.state.kept_results = KeptResults(examined)
    errors.install(app)
    # the middleware that is added last handles a request first
    app.add_middleware(BodyLimit, larger={lists.LISTS_PREFIX: lists.MAX_BODY})
    app.add_middleware(Conditional, private=settings.read_token is not None)
    app.add_middleware(AdminOnly, token=settings.admin_token)
    app.add_middleware(ReadersOnly, token=settings.read_token, others=[settings.admin_token])
    pages = app.state.pages = create_pages(settings)
    # two applications, because the API responds to errors in JSON and the pages in HTML
    app.add_middleware(Pages, pages=pages)
    app.add_middleware(HeadRequests)
    app.add_middleware(_StartupErrors)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
    settings: Settings = app.state.settings
    logs.configure(settings.log_level)
    try:
        async with AsyncExitStack() as stack:
            stack.enter_context(as_sigterm())
            app.state.services = app.state.pages.state.services = await _start(
                settings, stack, app.state.kept_results
            )
            stack.push_async_callback(app.state.pages.state.live.close)
            supervised = Supervised(lambda: "serving")
            supervised.ready()
            stack.callback(supervised.stopping)
            yield {"end_streams": app.state.pages.state.live.stop}
    except UserError as error:
        app.state.startup_error = error
        raise


async def _start(settings: Settings, stack: AsyncExitStack, kept: KeptResults) -> Services:
    """Connect to PostgreSQL and Redis, and start the background tasks.

    Redis may be unavailable: the wake-ups of new runs are sent once it is back.

    Args:
        settings: the settings.
        stack: closes the connections and stops the tasks.
        kept: the doctor's results.

    Raises:
        UserError: PostgreSQL cannot be reached, or does not have the tables of this version.
    """
    db = create_engine(
        settings.database_url.get_secret_value(),
        session="kidney-genetics api requests",
        pool_size=POOL_SIZE,
        pool_timeout=POOL_TIMEOUT,
    )
    stack.push_async_callback(db.dispose)
    stack.callback(kept.stop)
    await check_schema(db)
    # computed now, while the files are those of the running code
    await asyncio.to_thread(version)
    await start_ping(settings, stack)
    start_notifier(settings, stack, recipe)
    await asyncio.to_thread(_tidy, settings.cache_dir)
    reads = db.execution_options(isolation_level="AUTOCOMMIT")
    probes = Probes(settings)
    stack.push_async_callback(probes.close)
    if not settings.use_arq_worker:
        limiter = LocalRateLimiter()
        dispatcher = await _start_executing(settings, limiter, stack)
        local = LocalBudgets(limiter)
        return Services(db, reads, probes, dispatcher, None, settings, local, limiter, kept)
    redis = connect(settings.redis_url.get_secret_value(), settings.arq_queue_name)
    arq_dispatcher = ArqDispatcher(redis, settings.arq_queue_name)
    stack.push_async_callback(arq_dispatcher.close)
    try:
        async with asyncio.timeout(REDIS_CHECK_TIMEOUT):
            await installation.refuse_cluster(redis)
            await installation.log_if_shared(redis, await installation.identify(db))
    except (RedisError, OSError) as error:
        logger.warning(
            "Redis is unavailable; wake-ups are sent when it is back: %s", error or "no answer"
        )
    budgets = RedisBudgets(redis)
    shared = limiter_of_workers(redis)
    return Services(db, reads, probes, arq_dispatcher, redis, settings, budgets, shared, kept)


def _tidy(cache_dir: Path) -> None:
    """Remove the folders of exports that a killed process has left."""
    try:
        remove_abandoned(cache_dir)
    except OSError as error:
        logger.warning("the folders of abandoned exports cannot be removed: %s", error)


async def _start_executing(
    settings: Settings, limiter: LocalRateLimiter, stack: AsyncExitStack
) -> InProcessDispatcher:
    """Execute runs in this process, including unfinished runs of an earlier process.

    Raises:
        UserError: PostgreSQL cannot be reached.
    """
    pipeline = Pipeline(settings, limiter)
    stack.push_async_callback(pipeline.close)
    dispatcher = InProcessDispatcher()
    engine = Engine(
        settings,
        kind="api",
        dispatcher=dispatcher,
        work=pipeline.run,
        plan=partial(plan, enabled=settings.enabled_sources),
        chores=retention(settings),
        actions=actions(settings),
    )
    stack.push_async_callback(engine.stop)
    await engine.start()
    executor = Executor(
        engine, dispatcher, slots=settings.arq_max_jobs, poll_interval=POLL_INTERVAL
    )
    executor.start()
    stack.push_async_callback(executor.stop)
    return dispatcher


class _StartupErrors:
    """Reports a failed start to the server as a message, where Starlette would send a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_explained(message: Message) -> None:
            error = getattr(scope["app"].state, "startup_error", None)
            if message["type"] == "lifespan.startup.failed" and error is not None:
                message["message"] = explain(error)
            await send(message)

        await self._app(scope, receive, send_explained)
