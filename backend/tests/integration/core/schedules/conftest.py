import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import WrongUse
from app.core.runs.ref import RunRef
from app.core.runs.request import RunRequest
from app.core.schedules import operations, ticks
from app.core.schedules.actions import NO_ACTIONS, Actions
from app.core.schedules.operations import NewSchedule
from harness.timing import limit
from tests.integration.conftest import Bench

DAY = timedelta(days=1)


async def plan(connection: AsyncConnection, request: RunRequest) -> Sequence[str]:
    del connection
    if request.sources == ("removed",):
        raise WrongUse("unknown source 'removed'")
    return request.sources or ("a", "b", "c")


class Timetable:
    """The schedules of a database, with methods to advance them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    async def add(self, name: str = "nightly", can: Actions = NO_ACTIONS, **changes: Any) -> None:
        values = {
            "kind": "cron", "cron": "0 3 * * *", "zone": "UTC", "every": None, "overlap": "skip",
            "catch_up": DAY, "by": "Ada", "sources": None if can else ("a",),
        } | changes  # fmt: skip
        request = RunRequest.of(values.pop("sources"))
        async with self.bench.db.begin() as connection:
            new = NewSchedule(name=name, request=request, **values)
            await operations.add(connection, new, plan, can)

    async def change(self, statement: str) -> None:
        async with self.bench.db.begin() as connection:
            await connection.execute(text(statement))

    async def due(self, ago: str = "1 second", name: str = "nightly") -> None:
        """Move the next time of a schedule into the past, as if time had passed."""
        await self.change(
            f"UPDATE schedules SET next_at = now() - interval '{ago}' WHERE name = '{name}'"
        )

    async def poll(self) -> list[RunRef]:
        """Process everything that is due, as each worker does once a second."""
        created: list[RunRef] = []
        while True:
            async with self.bench.db.begin() as connection:
                done = await ticks.do_next(connection, plan)
            if done is None:
                return created
            created += done

    async def deaths(self) -> AsyncIterator[None]:
        """Let a worker die at its first statement, the next one at its second one, and so on.

        Yields after each death. The last worker lives, and does the tick.
        """

        class Died(Exception):
            """The process has died."""

        engine = self.bench.db.sync_engine
        for died in count():
            left = died

            def die(*_: object) -> None:
                nonlocal left
                if left == 0:
                    raise Died
                left -= 1

            event.listen(engine, "after_cursor_execute", die)
            try:
                async with self.bench.db.begin() as connection:
                    await ticks.do_next(connection, plan)
            except Died:
                pass
            else:
                return
            finally:
                event.remove(engine, "after_cursor_execute", die)
            yield

    async def rows(self, query: str) -> list[Any]:
        async with self.bench.db.connect() as connection:
            return list((await connection.execute(text(query))).mappings())

    async def outcomes(self) -> list[tuple[str, int | None, str | None]]:
        rows = await self.rows("SELECT outcome, run_id, reason FROM schedule_ticks ORDER BY tick")
        return [(row["outcome"], row["run_id"], row["reason"]) for row in rows]

    async def tick(self) -> Mapping[str, Any]:
        """The only tick."""
        (row,) = await self.rows("SELECT * FROM schedule_ticks")
        return dict(row)

    async def until(self, holds: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """Wait until the only tick has these values."""
        async with limit():
            while True:
                rows = await self.rows("SELECT * FROM schedule_ticks")
                if rows and holds(rows[0]):
                    return dict(rows[0])
                await asyncio.sleep(0.02)

    async def end(self, run_id: int, ago: str = "0 s") -> None:
        """Let a run succeed."""
        await self.change(
            f"UPDATE runs SET state = 'succeeded', finished_at = now() WHERE id = {run_id}"
        )
        await self.change(
            "UPDATE run_sources SET state = 'succeeded', active = false,"
            f" finished_at = now() - interval '{ago}' WHERE run_id = {run_id}"
        )


@pytest.fixture
def timetable(bench: Bench) -> Timetable:
    return Timetable(bench)
