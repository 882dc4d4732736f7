import asyncio

import pytest

from app.core.process import cancelling


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "RECANCEL_INTERVAL", 0.01)


async def test_a_task_that_kept_a_cancellation_to_itself_is_cancelled_again() -> None:
    kept = 0

    async def goes_on() -> None:
        nonlocal kept
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            kept += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(goes_on())
    await asyncio.sleep(0)
    assert await cancelling.end(task, within=5)
    assert (task.cancelled(), kept) == (True, 1)


async def test_a_task_that_will_not_end_is_left_when_the_time_is_up() -> None:
    enough = False

    async def stubborn() -> None:
        while not enough:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    assert not await cancelling.end(task, within=0.05)
    enough = True
    task.cancel()
    await task


async def test_a_task_that_has_ended_is_left_alone() -> None:
    task = asyncio.create_task(asyncio.sleep(0, result=3))
    await task
    assert await cancelling.end(task, within=0)
    assert task.result() == 3
