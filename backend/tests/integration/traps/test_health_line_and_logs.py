"""arq's health line and its logs."""

import asyncio
import json
import logging
import logging.config

import pytest
from arq.connections import RedisSettings
from arq.constants import health_check_key_suffix
from arq.logs import default_log_config

from app.core.process import logs
from app.core.redis.health_line import HEALTH_CHECK_KEY
from harness.timing import WAIT, limit, scaled


async def nothing(ctx: object) -> None:
    """A job that does nothing."""


@pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")
async def test_arqs_health_line_may_be_an_hour_old_and_any_stop_deletes_it(plain) -> None:
    settings = {"queue_name": "mine", "redis_settings": RedisSettings.from_dsn(plain.url)}
    key = "mine" + health_check_key_suffix
    async with plain.worker(nothing, **settings) as one, plain.worker(nothing, **settings):
        async with limit():
            while not await plain.redis.exists(key):
                await asyncio.sleep(0.01)
        assert await plain.redis.ttl(key) > 3_500
        one.main_task.cancel()
        await one.close()
        assert not await plain.redis.exists(key)


async def test_our_health_line_is_recent_and_survives_the_stop_of_one_worker(
    plant, arq_redis
) -> None:
    leaving, staying = plant.worker(), plant.worker()
    for worker in (leaving, staying):
        await plant.says(worker, "is alive")
    async with limit():
        while not await arq_redis.exists(HEALTH_CHECK_KEY):
            await asyncio.sleep(0.05)
    assert 0 < await arq_redis.ttl(HEALTH_CHECK_KEY) <= 30
    leaving.terminate()
    assert await asyncio.to_thread(leaving.wait, scaled(WAIT)) == 0
    assert await arq_redis.exists(HEALTH_CHECK_KEY)
    alive = plant.rows("SELECT pid FROM workers WHERE stopped_at IS NULL")
    assert alive == [{"pid": staying.pid}]


def test_our_logging_replaces_arqs(own_logging, capsys) -> None:
    logging.config.dictConfig(default_log_config(verbose=False))
    logs.configure("INFO", people=False)
    logging.getLogger("arq.worker").warning("job expired")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "job expired"
