"""Notifiers on a test's database, and channels that keep what they get."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.core.notify import notifier as notifying
from app.core.notify.message import Message
from app.core.notify.notifier import Notifier
from app.core.notify.rules import Rules
from app.doctor.recipes import recipe
from harness.timing import WAIT, limit
from tests.integration.conftest import Bench, Query


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let notifiers look often."""
    for name, seconds in {"POLL_INTERVAL": 0.05, "WATCH_INTERVAL": 0.1}.items():
        monkeypatch.setattr(notifying, name, seconds)


class Mailbox:
    """A channel that keeps what it gets, and fails as the test wants."""

    def __init__(self, name: str = "webhook", faults: Callable[[int], None] | None = None) -> None:
        self.name = name
        self.got: list[Message] = []
        self._faults = faults or (lambda attempt: None)
        self._attempts = 0
        self._arrived = asyncio.Condition()

    async def send(self, message: Message) -> None:
        self._attempts += 1
        self._faults(self._attempts)
        async with self._arrived:
            self.got.append(message)
            self._arrived.notify_all()

    async def close(self) -> None:
        pass

    async def until(self, number: int) -> list[Message]:
        """Wait until so many messages have arrived."""
        async with limit(WAIT), self._arrived:
            await self._arrived.wait_for(lambda: len(self.got) >= number)
        return self.got


class Office:
    """Notifiers on a database, and what they tell."""

    def __init__(self, bench: Bench, query: Query) -> None:
        self.bench = bench
        self.query = query

    @asynccontextmanager
    async def open(
        self, *mailboxes: Mailbox, rules: Rules | None = None, **more: Any
    ) -> AsyncIterator[Mailbox]:
        dsn = self.bench.settings.database_url.get_secret_value()
        boxes = mailboxes or (Mailbox(),)
        notifier = Notifier(dsn, boxes, rules or Rules(), command=recipe, **more)
        notifier.start()
        try:
            yield boxes[0]
        finally:
            await notifier.stop()

    async def until(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Wait until a query finds something."""
        async with limit(WAIT):
            while not (found := self.query(statement, *values)):
                await asyncio.sleep(0.05)
        return found

    async def looked(self) -> None:
        """Wait until states were looked at, from the first to the last."""
        later = "SELECT looked_at FROM incident_looks WHERE looked_at > %s"
        (turn,) = await self.until("SELECT clock_timestamp() AS looked_at")
        # a turn ends before the next one begins
        for _ in range(2):
            (turn,) = await self.until(later, turn["looked_at"])

    async def fail(self, sources: tuple[str, ...] = ("a",), error: str = "no luck") -> int:
        """Let a run fail, as a worker would."""
        run_id = (await self.bench.request(sources)).ref.run_id
        self.query("UPDATE runs SET state = 'failed', finished_at = now() WHERE id = %s", run_id)
        self.query(
            "INSERT INTO run_events (run_id, epoch, event, detail)"
            " VALUES (%s, 1, 'failed', jsonb_build_object('reason', %s::text))",
            run_id,
            error,
        )
        return run_id

    async def succeed(self, sources: tuple[str, ...] = ("a",)) -> int:
        """Let a run succeed."""
        run_id = (await self.bench.request(sources)).ref.run_id
        self.query(
            "UPDATE run_sources SET state = 'succeeded', finished_at = clock_timestamp()"
            " WHERE run_id = %s",
            run_id,
        )
        self.query("UPDATE runs SET state = 'succeeded', finished_at = now() WHERE id = %s", run_id)
        return run_id
