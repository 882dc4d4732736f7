"""An answer that is given at once, and renewed beside its callers."""

import asyncio

import pytest

from app.api.recent import MAX_AGE, RENEW_AFTER, Recent


class Query:
    """A query whose answers are 1, 2, 3 and so on; each waits until it may end."""

    def __init__(self) -> None:
        self.asked = 0
        self.now = 1_000.0
        self.error: Exception | None = None
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def ask(self) -> int:
        self.asked += 1
        answer = self.asked
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        return answer


@pytest.fixture
async def query() -> Query:
    return Query()


@pytest.fixture
async def recent(query: Query) -> Recent[int]:
    return Recent(query.ask, clock=lambda: query.now)


async def renewed(query: Query, times: int) -> None:
    """Let the query run until it was asked so often and can do no more."""
    while query.asked < times:
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_recent_answer_is_given_again(query, recent) -> None:
    assert await recent.result() == 1
    query.now += RENEW_AFTER
    assert await recent.result() == 1
    assert query.asked == 1


async def test_an_older_one_is_given_at_once_and_renewed_for_the_next_caller(query, recent) -> None:
    assert await recent.result() == 1
    query.now += RENEW_AFTER + 1
    query.may_end.clear()
    assert await recent.result() == 1
    await renewed(query, 2)
    # the query is still running: it is not asked again
    assert await recent.result() == 1
    assert query.asked == 2
    query.may_end.set()
    await renewed(query, 2)
    assert await recent.result() == 2


async def test_an_answer_that_is_too_old_is_waited_for(query, recent) -> None:
    assert await recent.result() == 1
    query.now += MAX_AGE + 1
    assert await recent.result() == 2


async def test_a_failure_reaches_only_the_waiting_callers(query, recent) -> None:
    query.error = OSError("away")
    with pytest.raises(OSError, match="away"):
        await recent.result()
    query.error = None
    assert await recent.result() == 2
    query.error = OSError("away")
    query.now += RENEW_AFTER + 1
    assert await recent.result() == 2
    await renewed(query, 3)
    # tried again, with the next caller
    query.error = None
    assert await recent.result() == 2
    await renewed(query, 4)
    assert await recent.result() == 4
    query.error = OSError("away")
    query.now += MAX_AGE + 1
    with pytest.raises(OSError, match="away"):
        await recent.result()


async def test_a_renewal_can_be_cancelled(query, recent) -> None:
    assert await recent.result() == 1
    await recent.cancel()
    query.now += RENEW_AFTER + 1
    query.may_end.clear()
    await recent.result()
    await renewed(query, 2)
    await recent.cancel()
    query.may_end.set()
    assert await recent.result() == 1
