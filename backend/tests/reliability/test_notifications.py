"""Processes that die while they send."""

import asyncio
from collections.abc import Iterator

import pytest

from harness.receivers import WebhookReceiver
from harness.timing import WAIT
from harness.waiting import eventually
from tests.reliability.conftest import Scene

LEASE_OVER = "UPDATE notification_deliveries SET due_at = now() WHERE state = 'pending'"
"""As if the time for which a process has taken a delivery had passed."""


class Patient(WebhookReceiver):
    """Accepts messages, and replies when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self._may_answer = asyncio.Event()

    async def _answer(self, request_line: str, headers: dict[str, str], body: bytes) -> int | None:
        status = await super()._answer(request_line, headers, body)
        await self._may_answer.wait()
        return status

    def answer(self) -> None:
        self._loop.call_soon_threadsafe(self._may_answer.set)


@pytest.fixture
def receiver(scene: Scene) -> Iterator[Patient]:
    with Patient() as found:
        scene.env |= {"NOTIFY_WEBHOOK_URLS": found.url, "NOTIFY_ALLOW_PRIVATE": "True"}
        yield found


def fail(scene: Scene, count: int, first: int = 1) -> None:
    """Let a number of runs of different sources fail, as workers would."""
    scene.rows(
        "WITH run AS (INSERT INTO runs (task, sources, mode, state, error)"
        " SELECT 'run_pipeline_task', ARRAY['s' || n], 'smart', 'failed', 'no luck'"
        " FROM generate_series(%(first)s::int, %(last)s::int) n RETURNING id)"
        " INSERT INTO run_events (run_id, epoch, event, detail)"
        """ SELECT id, 1, 'failed', '{"reason": "no luck"}' FROM run""",
        first=first,
        last=first + count - 1,
    )


def undelivered(scene: Scene) -> int:
    (row,) = scene.rows(
        "SELECT (SELECT count(*) FROM run_events WHERE NOT noticed AND event = 'failed')"
        " + (SELECT count(*) FROM notifications WHERE planned_at IS NULL)"
        " + (SELECT count(*) FROM notification_deliveries WHERE state <> 'delivered') AS n"
    )
    return int(row["n"])


async def test_an_unrecorded_delivery_is_sent_again_under_the_same_id(
    scene: Scene, receiver: Patient
) -> None:
    (worker,) = (await scene.workers(1)).values()
    fail(scene, 1)
    await eventually(lambda: receiver.received, seconds=WAIT)
    worker.kill()
    receiver.answer()
    (row,) = scene.rows("SELECT state, attempts FROM notification_deliveries")
    assert row == {"state": "pending", "attempts": 1}

    await scene.workers(1)
    scene.rows(LEASE_OVER)
    await eventually(lambda: undelivered(scene) == 0, seconds=WAIT)
    first, second = receiver.ids
    assert first == second


async def test_nothing_is_lost_while_one_sender_after_the_other_is_killed(
    scene: Scene, receiver: Patient
) -> None:
    receiver.answer()
    receiver.faults.at_random(0.5, kinds=["503", "drop", "late"])
    workers = [*(await scene.workers(2)).values()]
    for number in range(4):
        fail(scene, 25, first=25 * number + 1)
        seen = len(receiver.received)
        await eventually(lambda seen=seen: len(receiver.received) > seen, seconds=WAIT)
        workers.pop(0).kill()
        workers += (await scene.workers(1)).values()

    def all_delivered() -> bool:
        scene.rows(LEASE_OVER)
        return undelivered(scene) == 0

    await eventually(all_delivered, seconds=WAIT)
    told = scene.rows("SELECT message_id FROM notifications")
    assert len(told) == 100
    assert {f"msg_{row['message_id'].hex}" for row in told} == {*receiver.ids}
