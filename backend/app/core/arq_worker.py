"""The arq worker, which ``arq app.core.arq_worker.WorkerSettings`` starts.

This module is the composition root: the only module of the engine that knows what the jobs do.
"""

import asyncio
import gc
import sys
from contextlib import AsyncExitStack
from dataclasses import fields
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from arq import func
from arq.connections import RedisSettings
from arq.worker import Function

from app.annotation.data.retention import retention
from app.annotation.notices.notifier import start_notifier
from app.annotation.refresh.pipeline import Pipeline
from app.annotation.refresh.requests import plan, request_run
from app.annotation.scheduled import actions
from app.annotation.settings import get_settings
from app.core.arq import shutdown
from app.core.arq.client import WorkerRedis, connect, connect_worker
from app.core.arq.client_jobs import ClientJobs
from app.core.arq.dispatcher import ArqDispatcher
from app.core.arq.tasks import (
    WorkerContext,
    run_annotation_pipeline_task,
    run_pipeline_task,
)
from app.core.arq.wake_ups import dump, load
from app.core.config import Settings
from app.core.notify.ping import start_ping
from app.core.process import logs
from app.core.process.exits import exit_on_any_user_error
from app.core.process.guard import guard
from app.core.process.systemd import Supervised
from app.core.redis import installation
from app.core.redis.address import parse
from app.core.redis.health_line import HEALTH_CHECK_KEY
from app.core.redis.rate_limits import RedisRateLimiter
from app.core.redis.retry import RedisRetry
from app.core.runs.actors import CLIENT_OF_ARQ
from app.core.runs.jobs import ARQ_GRACE, ONE_SOURCE, SEVERAL_SOURCES, time_limit
from app.core.workers.engine import Engine
from app.doctor.recipes import explain, recipe

guard()
exit_on_any_user_error(explain)
_settings = get_settings()
_url = _settings.redis_url.get_secret_value()
_queue = _settings.arq_queue_name
_redis = parse(_url)
_redis_retry = RedisRetry(str(_redis))


async def _on_startup(ctx: dict[str, Any]) -> None:
    logs.configure(_settings.log_level)
    _redis_retry.started = True
    main = asyncio.current_task()
    assert main is not None
    async with AsyncExitStack() as stack:
        limiter = connect(_url, _queue)
        stack.push_async_callback(limiter.aclose)
        dispatcher = ArqDispatcher(connect(_url, _queue), _queue)
        stack.push_async_callback(dispatcher.close)
        pipeline = Pipeline(_settings, RedisRateLimiter(limiter))
        stack.push_async_callback(pipeline.close)
        engine = Engine(
            _settings,
            kind="arq",
            dispatcher=dispatcher,
            work=pipeline.run,
            plan=partial(plan, enabled=_settings.enabled_sources),
            chores=retention(_settings),
            actions=actions(_settings),
        )
        stack.push_async_callback(engine.stop)
        worker = WorkerContext(engine, WorkerSettings.redis_pool, _redis_retry)
        # arq waits for one task per job id, but a wake-up that was sent twice may have two tasks
        stack.push_async_callback(_wait_for, worker.jobs)
        shutdown.install(main=main, jobs=worker.jobs, redis_retry=_redis_retry)
        await installation.refuse_cluster(limiter)
        await engine.start()
        await start_ping(_settings, stack)
        start_notifier(_settings, stack, recipe)
        if (mark := await installation.identify(engine.db)) is not None:
            await installation.claim(limiter, mark)
            renewal = asyncio.create_task(
                installation.keep(limiter, mark), name="installation mark"
            )
            stack.callback(renewal.cancel)
        request = partial(
            request_run,
            engine.db,
            dispatcher,
            enabled=_settings.enabled_sources,
            actor=CLIENT_OF_ARQ,
        )
        worker.redis.queue.client_jobs = ClientJobs(engine.db, request)
        worker.redis.may_pick_up = lambda: engine.ready and not _redis_retry.stopping
        # arq has reached Redis before it calls this function (``arq/worker.py``, ``main``)
        supervised = Supervised(partial(_status, engine))
        supervised.ready()
        stack.callback(supervised.stopping)
        ctx["worker"] = worker
        ctx["closing"] = stack.pop_all()


async def _wait_for(jobs: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*jobs, return_exceptions=True)


def _status(engine: Engine) -> str:
    return f"worker {engine.liveness.worker_id}, {engine.busy} of {_settings.arq_max_jobs} runs"


async def _on_shutdown(ctx: dict[str, Any]) -> None:
    # a failed start has already closed everything that it opened
    if (closing := ctx.get("closing")) is not None:
        await closing.aclose()


def _arq_function(task: Any, name: str, settings: Settings) -> Function:
    return func(
        task,
        name=name,
        timeout=time_limit(name, settings.arq_job_timeout) + ARQ_GRACE,
        keep_result=0,
        # PostgreSQL counts the attempts; there, a clean stop costs none
        max_tries=sys.maxsize,
    )


def _redis_settings() -> RedisSettings:
    """Return the address of Redis in arq's form, which ``arq --check`` needs."""
    known = {field.name for field in fields(RedisSettings)}
    host, port = _redis.hosts[0] if _redis.hosts else ("localhost", 6379)
    return RedisSettings(
        host=host if _redis.service is None else list(_redis.hosts),
        port=port,
        unix_socket_path=_redis.path,
        database=_redis.database,
        username=_redis.username,
        password=_redis.password,
        ssl=_redis.tls,
        sentinel=_redis.service is not None,
        sentinel_master=_redis.service or "",
        **{name: value for name, value in _redis.options.items() if name in known},
    )


class WorkerSettings:
    """The settings that arq reads. It ignores inherited attributes (``arq/worker.py``)."""

    functions: ClassVar[list[Function]] = [
        _arq_function(run_pipeline_task, ONE_SOURCE.name, _settings),
        _arq_function(run_annotation_pipeline_task, SEVERAL_SOURCES.name, _settings),
    ]
    queue_name = _queue
    redis_pool: WorkerRedis = connect_worker(_url, _queue, _redis_retry)
    redis_settings = _redis_settings()
    job_serializer = dump
    job_deserializer = load
    max_jobs = _settings.arq_max_jobs
    job_timeout = _settings.arq_job_timeout + ARQ_GRACE
    keep_result = 0
    max_tries = sys.maxsize
    # the wake-up of a recovered run is usually sent just after a poll, so the run waits for nearly
    # the whole interval; arq's default is half a second (`nox -s bench -- kills`)
    poll_delay = 0.2
    health_check_key = HEALTH_CHECK_KEY
    health_check_interval = timedelta(seconds=5)
    on_startup = _on_startup
    on_shutdown = _on_shutdown


# A full collection over the imported modules was measured to block the event loop for 80 ms. The
# modules stay in memory anyway, so the collector need not visit them.
gc.freeze()
