"""Who is to blame when there is no answer."""

import asyncio

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.api.errors import Busy
from app.api.question import GIVE_UP, PATIENCE, Away, Question
from tests import virtual_time
from tests.virtual_time import busy


async def never() -> None:
    await asyncio.Event().wait()


def test_a_service_that_does_not_answer_is_away() -> None:
    with pytest.raises(Away, match="no answer in time"):
        virtual_time.run(Question(never).answer())


def test_a_process_that_could_not_see_the_answer_is_busy() -> None:
    async def held_up() -> None:
        question = Question(never)
        answer = asyncio.create_task(question.answer())
        await asyncio.sleep(0.1)
        busy(PATIENCE)
        await answer

    with pytest.raises(Busy, match="late"):
        virtual_time.run(held_up())


def test_a_timeout_of_a_client_library_is_judged_in_the_same_way() -> None:
    async def held_up() -> None:
        async def ask() -> None:
            await asyncio.sleep(1)
            raise RedisTimeoutError("Timeout reading from redis:6379")

        answer = asyncio.create_task(Question(ask).answer())
        await asyncio.sleep(0.1)
        busy(PATIENCE)
        await answer

    with pytest.raises(Busy):
        virtual_time.run(held_up())


def test_an_answer_counts_however_late_it_is_seen() -> None:
    async def held_up() -> str:
        arrived = asyncio.Event()

        async def ask() -> str:
            await arrived.wait()
            return "here"

        answer = asyncio.create_task(Question(ask).answer())
        await asyncio.sleep(0.1)
        arrived.set()
        busy(PATIENCE)
        return await answer

    assert virtual_time.run(held_up()) == "here"


def test_waiting_for_ones_own_connections_is_busy() -> None:
    async def ask() -> None:
        raise PoolTimeoutError("QueuePool limit of size 2 overflow 0 reached")

    with pytest.raises(Busy):
        virtual_time.run(Question(ask).answer())


def test_whoever_asks_meanwhile_gets_the_same_answer_and_later_ones_a_new_one() -> None:
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(1)
        return asked

    async def all_of_them() -> list[int]:
        question = Question(ask)
        first = await asyncio.gather(*(question.answer() for _ in range(60)))
        return [*first, await question.answer()]

    assert virtual_time.run(all_of_them()) == [1] * 60 + [2]


def test_a_question_that_hangs_is_asked_anew() -> None:
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            await asyncio.Event().wait()
        return asked

    async def until_answered() -> int:
        question = Question(ask)
        while asyncio.get_running_loop().time() < GIVE_UP:
            with pytest.raises(Away):
                await question.answer()
            assert asked == 1
        return await question.answer()

    assert virtual_time.run(until_answered()) == 2


def test_one_that_stops_asking_takes_the_answer_from_nobody() -> None:
    async def ask() -> str:
        await asyncio.sleep(1)
        return "here"

    async def both() -> str:
        question = Question(ask)
        gone, stays = (asyncio.create_task(question.answer()) for _ in range(2))
        await asyncio.sleep(0.1)
        gone.cancel()
        return await stays

    assert virtual_time.run(both()) == "here"
