"""Workers that die or stop while they do what a schedule does: it is done once, and whole."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from harness.timing import limit
from services.binaries import postgres_folder
from tests.plant import Process
from tests.reliability.conftest import MakeScene, Scene, gone

ACTIONS: dict[str, tuple[str, ...]] = {
    "backup": ("--backup",),
    "export": ("--format", "csv", "--fields", "hgnc", "--export"),
    "snapshot": ("--snapshot", "nightly"),
}

# an export plans with these tables, pg_dump locks all, and a snapshot keeps writers out of both
HOLD = "LOCK TABLE genes, annotations IN ACCESS EXCLUSIVE MODE"


class Night(Scene):
    """A schedule and the outcome of its tick."""

    folder_of_files: Path

    def schedule(self, action: str) -> None:
        self.folder_of_files = self.folder / "files"
        self.folder_of_files.mkdir()
        more = () if action == "snapshot" else (str(self.folder_of_files),)
        name = ("--name", "nightly")
        self.output("schedule-add", "0 2 * * *", *name, *ACTIONS[action], *more)

    def due(self) -> None:
        self.rows("UPDATE schedules SET next_at = now()")

    async def tick(self, outcome: str) -> dict[str, Any]:
        async with limit():
            while True:
                ticks = self.rows(
                    "SELECT t.*, w.pid FROM schedule_ticks t LEFT JOIN workers w"
                    " ON w.id = t.worker_id"
                )
                if ticks and ticks[0]["outcome"] == outcome:
                    (found,) = ticks
                    return found
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def in_the_middle(self) -> AsyncIterator[dict[str, Any]]:
        """Make the tick due, and return it when its work waits for a lock in PostgreSQL."""
        with psycopg.connect(self.env["DATABASE_URL"]) as held:
            held.execute(HOLD)
            self.due()
            tick = await self.tick("running")
            async with limit():
                while not self.rows(
                    "SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                    " WHERE NOT l.granted AND l.relation IN"
                    " ('genes'::regclass, 'annotations'::regclass)"
                ):
                    await asyncio.sleep(0.05)
            yield tick

    def names(self) -> list[str]:
        return sorted(each.name for each in self.folder_of_files.iterdir())

    async def done(self, action: str) -> dict[str, Any]:
        """Wait for the end of the work, which was done once and left no partial result."""
        tick = await self.tick("done")
        self.check_result(action, tick)
        return tick

    def check_result(self, action: str, tick: dict[str, Any]) -> None:
        snapshots = self.rows("SELECT name FROM snapshots")
        if action == "snapshot":
            assert snapshots == [{"name": tick["result"]["snapshot"]}]
            assert self.names() == []
            return
        file = Path(tick["result"]["file"])
        count = {"backup": 1, "export": 4}[action]
        assert len(self.names()) == count, self.names()
        assert file.stat().st_size == tick["result"]["bytes"] > 0
        assert not [name for name in self.names() if "partial" in name]
        if action == "backup":
            self.restore(file)

    def restore(self, file: Path) -> None:
        genes = self.rows("SELECT count(*) AS n FROM genes")[0]["n"]
        address = self.env["DATABASE_URL"]
        restored = psycopg.conninfo.make_conninfo(address, dbname=f"restored_{os.getpid()}")
        self.env["DATABASE_URL"] = restored
        try:
            assert f"restored {genes} genes" in self.output("restore", str(file))
        finally:
            self._disconnect()
            self.env["DATABASE_URL"] = address
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS restored_{os.getpid()}")


@pytest.fixture
def night(make_scene: MakeScene) -> Night:
    scene = make_scene(PATH=f"{os.environ['PATH']}:{postgres_folder()}")
    scene.__class__ = Night
    assert isinstance(scene, Night)
    return scene


async def ended(children: list[psutil.Process]) -> None:
    async with limit():
        while [each for each in children if each.is_running() and each.status() != "zombie"]:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("action", ["backup", "export", "snapshot"])
async def test_work_of_a_killed_worker_is_done_once_by_another_one(
    night: Night, action: str
) -> None:
    workers = await night.workers(2)
    night.schedule(action)
    async with night.in_the_middle() as tick:
        children = psutil.Process(tick["pid"]).children(recursive=True)
        assert action != "backup" or [child.name() for child in children] == ["pg_dump"]
        workers[tick["pid"]].kill()
        # no pg_dump goes on without its worker
        await ended(children)
        again = await night.tick("running")
        while again["pid"] == tick["pid"]:
            await asyncio.sleep(0.05)
            again = await night.tick("running")
    done = await night.done(action)
    assert done["pid"] != tick["pid"]
    assert (done["failures"], done["epoch"]) == (1, 3)


@pytest.mark.parametrize("action", ["backup", "snapshot"])
async def test_work_of_a_stopped_worker_goes_to_another_one_at_once(
    night: Night, action: str
) -> None:
    workers = await night.workers(2)
    night.schedule(action)
    async with night.in_the_middle() as tick:
        workers[tick["pid"]].terminate()
        status, seconds = await gone(workers[tick["pid"]], 15)
        assert (status, seconds <= 10) == (0, True)
    done = await night.done(action)
    assert done["pid"] != tick["pid"]
    assert (done["failures"], done["epoch"]) == (0, 3)


@pytest.mark.timeout(240)
async def test_a_frozen_worker_that_wakes_up_changes_nothing(night: Night) -> None:
    workers = await night.workers(2)
    night.schedule("backup")
    async with night.in_the_middle() as tick:
        frozen = workers[tick["pid"]]
        os.kill(frozen.pid, signal.SIGSTOP)
        # its pg_dump is alive and waits, too
        async with limit(90):
            while not night.rows("SELECT tick FROM schedule_ticks WHERE failures = 1"):
                await asyncio.sleep(0.2)
    done = await night.done("backup")
    assert done["pid"] != tick["pid"]
    file = Path(done["result"]["file"])
    before = inode(file)
    os.kill(frozen.pid, signal.SIGCONT)
    # either it learns this first, or its pg_dump ends first and its file is gone
    async with limit():
        while not gave_up(frozen):
            await asyncio.sleep(0.1)
    await ended(psutil.Process(frozen.pid).children(recursive=True))
    assert inode(file) == before
    assert (await night.done("backup"))["at"] == done["at"]


def gave_up(process: Process) -> bool:
    words = ("no longer belongs to this worker", "in the hands of another worker")
    return any(each in process.logged() for each in words)


def inode(file: Path) -> int:
    return file.stat().st_ino


async def test_a_worker_that_is_alone_finishes_after_a_crash(night: Night) -> None:
    (worker,) = (await night.workers(1)).values()
    night.schedule("backup")
    async with night.in_the_middle():
        worker.kill()
        worker.wait()
    assert [name for name in night.names() if name.endswith(".partial")]
    await night.workers(1)
    assert (await night.done("backup"))["failures"] == 1
