"""Two installations in one database, each in a schema of its own, and locks that others hold."""

from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.postgres.migration import upgrade
from app.core.runs import operations
from app.core.runs.request import RunRequest
from app.core.workers.liveness import Liveness
from app.core.workers.recovery import take_from_the_dead
from app.core.workers.timing import Timing
from app.core.workers.views import list_workers
from app.db.engine import create_engine
from app.db.locks import waiting_for
from harness.timing import limit
from tests.people import ADA

REQUEST = RunRequest.of(["a"], "smart")


@pytest.fixture
def two(database_url: str) -> tuple[str, str]:
    """Addresses of one database: the tables in `public`, and those in `kg`."""
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE SCHEMA kg")
    return database_url, f"{database_url}?options=-csearch_path%3Dkg"


@pytest.fixture
async def engines(two: tuple[str, str]) -> AsyncIterator[list[AsyncEngine]]:
    found = [create_engine(dsn, session="test") for dsn in two]
    await upgrade(found[1])
    yield found
    for each in found:
        await each.dispose()


async def alive(db: AsyncEngine) -> list[int]:
    async with db.connect() as connection:
        return [each.id for each in await list_workers(connection) if each.alive]


async def test_the_worker_of_one_installation_does_not_wait_for_that_of_another(
    two: tuple[str, str], engines: list[AsyncEngine]
) -> None:
    lives = [Liveness(dsn, kind="api", timing=Timing()) for dsn in two]
    async with limit():
        for each in lives:
            await each.connect()
    # the same id, and a lock of its own
    assert [each.worker_id for each in lives] == [1, 1]
    assert [await each.may_execute() for each in lives] == [True, True]
    await lives[0].stop()
    assert [await alive(db) for db in engines] == [[], [1]]

    # the dead one's run is taken, although a living worker of the other has the same id
    first = await lives[0].connect()
    await first.execute(
        "INSERT INTO runs (task, mode, state, worker_id) VALUES ('t', 'smart', 'running', 1)"
    )
    async with limit():
        # the server ends a session a moment after its client has closed it
        while not await (await first.execute("SELECT FROM runs WHERE losses = 1")).fetchall():
            async with engines[0].begin() as connection:
                await take_from_the_dead(connection, Timing())
    for each in lives:
        await each.stop()


async def test_both_installations_create_and_migrate_at_the_same_time(
    engines: list[AsyncEngine],
) -> None:
    async with limit(), engines[0].begin() as first, engines[1].begin() as second:
        for connection in (first, second):
            await operations.create(connection, REQUEST, ["a"], actor=ADA)
        # both transactions are open, and so both locks are held
    async with engines[0].begin() as first:
        await operations.create(first, RunRequest.of(["b"], "smart"), ["b"], actor=ADA)
        await upgrade(engines[1])


async def test_waiting_for_a_lock_times_out_and_names_its_holder(
    engines: list[AsyncEngine], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(operations, "CREATING", replace(operations.CREATING, timeout=0.1))
    async with engines[0].begin() as first:
        await operations.create(first, REQUEST, ["a"], actor=ADA)
        with pytest.raises(OperationalError) as error:
            async with engines[0].begin() as second:
                await operations.create(second, REQUEST, ["a"], actor=ADA)
    assert getattr(error.value.orig, "sqlstate", None) == "55P03"
    [line] = [each.getMessage() for each in caplog.records if "waiting for" in each.getMessage()]
    assert line.startswith("waiting for the creation of another run")
    assert "test (pid " in line


async def test_a_worker_whose_lock_another_program_holds_is_reported_as_dead(
    database_url: str,
) -> None:
    with psycopg.connect(database_url) as other:
        other.execute(b"SELECT pg_advisory_lock('workers'::regclass::oid::int, 1)")
        worker = Liveness(database_url, kind="arq", timing=Timing())
        with pytest.raises(psycopg.OperationalError, match="another program holds"):
            await worker.connect()
        assert not worker.alive
        # an id of its own is not the other's
        await worker.connect()
        assert (worker.alive, worker.worker_id) == (True, 2)
        await worker.stop()


async def test_statements_after_a_wait_have_the_timeout_of_the_session(
    database_url: str,
) -> None:
    db = create_engine(database_url, session="test")

    def timeouts(connection: Connection) -> list[str]:
        asked = text("SHOW lock_timeout")
        before = connection.execute(asked).scalar_one()
        with waiting_for(connection, 0.2):
            within = connection.execute(asked).scalar_one()
        return [before, within, connection.execute(asked).scalar_one()]

    async with db.connect() as connection:
        assert await connection.run_sync(timeouts) == ["1min", "200ms", "1min"]
    await db.dispose()


async def test_no_statement_waits_for_a_lock_for_ever(database_url: str) -> None:
    db = create_engine(database_url, session="test")
    async with db.connect() as connection:
        found = (await connection.exec_driver_sql("SHOW lock_timeout")).scalar_one()
    await db.dispose()
    assert found != "0"
