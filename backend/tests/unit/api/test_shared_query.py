"""Which error a query raises if there is no answer, and how concurrent callers share it."""

import asyncio

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.api.errors import Busy
from app.api.shared_query import PROBE_TIMEOUT, QUERY_TIMEOUT, SharedQuery, Unavailable
from tests import virtual_time
from tests.virtual_time import busy


async def never() -> None:
    await asyncio.Event().wait()


def test_a_service_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="no answer in time"):
        virtual_time.run(SharedQuery(never).result())


def test_a_process_whose_event_loop_is_blocked_is_busy() -> None:
    async def held_up() -> None:
        query = SharedQuery(never)
        answer = asyncio.create_task(query.result())
        await asyncio.sleep(0.1)
        busy(PROBE_TIMEOUT)
        await answer

    with pytest.raises(Busy, match="late"):
        virtual_time.run(held_up())


def test_a_timeout_of_a_client_library_is_treated_in_the_same_way() -> None:
    async def held_up() -> None:
        async def ask() -> None:
            await asyncio.sleep(1)
            raise RedisTimeoutError("Timeout reading from redis:6379")

        answer = asyncio.create_task(SharedQuery(ask).result())
        await asyncio.sleep(0.1)
        busy(PROBE_TIMEOUT)
        await answer

    with pytest.raises(Busy):
        virtual_time.run(held_up())


def test_an_answer_that_arrived_in_time_counts_even_if_it_is_read_late() -> None:
    async def held_up() -> str:
        arrived = asyncio.Event()

        async def ask() -> str:
            await arrived.wait()
            return "here"

        answer = asyncio.create_task(SharedQuery(ask).result())
        await asyncio.sleep(0.1)
        arrived.set()
        busy(PROBE_TIMEOUT)
        return await answer

    assert virtual_time.run(held_up()) == "here"


def test_a_process_whose_own_connections_are_all_in_use_is_busy() -> None:
    async def ask() -> None:
        raise PoolTimeoutError("QueuePool limit of size 2 overflow 0 reached")

    with pytest.raises(Busy):
        virtual_time.run(SharedQuery(ask).result())


def test_concurrent_callers_get_the_same_answer_and_a_later_caller_a_new_one() -> None:
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(1)
        return asked

    async def all_of_them() -> list[int]:
        query = SharedQuery(ask)
        first = await asyncio.gather(*(query.result() for _ in range(60)))
        return [*first, await query.result()]

    assert virtual_time.run(all_of_them()) == [1] * 60 + [2]


def test_a_query_without_an_answer_is_started_anew() -> None:
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            await asyncio.Event().wait()
        return asked

    async def until_answered() -> int:
        query = SharedQuery(ask)
        while asyncio.get_running_loop().time() < QUERY_TIMEOUT:
            with pytest.raises(Unavailable):
                await query.result()
            assert asked == 1
        return await query.result()

    assert virtual_time.run(until_answered()) == 2


def test_a_caller_that_is_cancelled_does_not_cancel_the_query_of_the_others() -> None:
    async def ask() -> str:
        await asyncio.sleep(1)
        return "here"

    async def both() -> str:
        query = SharedQuery(ask)
        gone, stays = (asyncio.create_task(query.result()) for _ in range(2))
        await asyncio.sleep(0.1)
        gone.cancel()
        return await stays

    assert virtual_time.run(both()) == "here"
