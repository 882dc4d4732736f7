"""What a worker logs about a run is kept with the run, in bounds, and never in the run's way."""

import asyncio
import logging
from typing import Any

import psycopg
import pytest

from app.core.errors import NotFound, UserError, Wait
from app.core.runs import log_lines
from app.core.runs.attempt import Attempt
from app.core.runs.log_lines import MAX_ATTEMPTS, MAX_LINES, RunLog
from app.core.workers import log_keeper
from harness.timing import limit
from tests.integration.conftest import Bench, Query, commit

KEY = "0123456789abcdef"

logger = logging.getLogger("app.test")


async def read(bench: Bench, run_id: int, epoch: int | None = None) -> RunLog:
    async with bench.db.connect() as connection:
        return await log_lines.read_log(connection, run_id, epoch)


def said(log: RunLog) -> list[tuple[str, str]]:
    assert log.attempt is not None
    return [(line.level, line.text) for line in log.attempt.lines]


async def until_stored(query: Query, words: str) -> None:
    async with limit():
        while not query("SELECT 1 FROM attempt_logs WHERE text = %s", words):
            await asyncio.sleep(0.02)


async def test_lines_are_available_during_the_attempt_and_after_its_end(
    bench: Bench, query: Query
) -> None:
    go_on = asyncio.Event()

    async def work(attempt: Attempt) -> None:
        logger.warning("begins")
        await go_on.wait()
        logger.warning("goes on")
        raise UserError("the disk is full")

    run_id = (await bench.request()).ref.run_id
    async with bench.worker(work):
        await until_stored(query, "begins")
        assert said(await read(bench, run_id)) == [("warning", "begins")]
        go_on.set()
        await bench.ended(run_id)

    log = await read(bench, run_id)
    assert said(log) == [
        ("warning", "begins"),
        ("warning", "goes on"),
        ("error", "failed: the disk is full"),
    ]
    assert log.epochs == [1]


async def test_no_secret_is_stored(bench: Bench, query: Query) -> None:
    async def work(attempt: Attempt) -> None:
        url = f"https://rest.example.org/x?api_key={KEY}"
        logger.warning("GET %s", url)
        raise RuntimeError(f"no answer from https://ada:{KEY}@rest.example.org, token={KEY}")

    run_id = (await bench.request()).ref.run_id
    async with bench.worker(work, run_max_failures=1):
        await bench.ended(run_id)

    lines = said(await read(bench, run_id))
    assert ("warning", "GET https://rest.example.org/x?api_key=***") in lines
    assert lines[-1][1].startswith("RuntimeError: no answer from https://***@rest.example.org")
    stored: Any = query("SELECT to_jsonb(attempt_logs)::text AS row FROM attempt_logs")
    assert KEY not in str(stored)


async def test_the_last_lines_of_the_last_attempts_are_kept(bench: Bench, query: Query) -> None:
    async def work(attempt: Attempt) -> None:
        for number in range(MAX_LINES + 50):
            logger.warning("line %d", number)
        if attempt.ref.epoch <= MAX_ATTEMPTS + 2:
            raise Wait("the weather", 0)

    run_id = (await bench.request()).ref.run_id
    async with bench.worker(work):
        await bench.ended(run_id)

    log = await read(bench, run_id)
    assert log.epochs == list(range(4, MAX_ATTEMPTS + 4))
    assert log.attempt is not None
    assert (log.attempt.earlier, len(log.attempt.lines)) == (50, MAX_LINES)
    assert log.attempt.lines[-1].text == f"line {MAX_LINES + 49}"
    (row,) = query("SELECT max(lines) AS most FROM (SELECT count(*) AS lines FROM attempt_logs"
                   " GROUP BY epoch) counted")  # fmt: skip
    assert row["most"] == MAX_LINES


async def test_a_run_does_not_suffer_if_its_lines_cannot_be_stored(
    bench: Bench, query: Query, caplog: pytest.LogCaptureFixture
) -> None:
    query("DROP TABLE attempt_logs")

    async def work(attempt: Attempt) -> None:
        for _ in range(20):
            logger.warning("a line")
            await commit(attempt)
            await asyncio.sleep(0.02)

    run_ids = [(await bench.request([name])).ref.run_id for name in ("a", "b")]
    async with bench.worker(work):
        runs = [await bench.ended(run_id) for run_id in run_ids]

    assert [(run.state, run.attempts, run.losses) for run in runs] == [("succeeded", 1, 0)] * 2
    assert len([each for each in caplog.records if log_keeper.WHAT in each.getMessage()]) == 1


async def test_a_run_continues_while_its_log_lines_cannot_be_stored(
    bench: Bench, query: Query, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_keeper, "STORE_TIMEOUT", 0.2)
    monkeypatch.setattr(log_keeper, "PAUSE_AFTER_FAILURE", 0.1)
    locked, unlocked = asyncio.Event(), asyncio.Event()

    async def work(attempt: Attempt) -> None:
        await locked.wait()
        logger.warning("while the table is locked")
        for _ in range(10):
            await commit(attempt)
        await unlocked.wait()

    run_id = (await bench.request()).ref.run_id
    async with bench.worker(work) as engine:
        await bench.until(run_id, lambda run: run.state == "running")
        dsn = settings.database_url.get_secret_value()
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            await connection.execute("LOCK TABLE attempt_logs IN ACCESS EXCLUSIVE MODE")
            locked.set()
            await bench.until(run_id, lambda run: run.progressed_at is not None)
            beat = query("SELECT heartbeat_at FROM workers")
            async with limit():
                while query("SELECT heartbeat_at FROM workers") == beat:
                    await asyncio.sleep(0.02)
            assert engine.liveness.alive
            await connection.rollback()
        await until_stored(query, "while the table is locked")
        unlocked.set()
        run = await bench.ended(run_id)

    assert (run.state, run.losses) == ("succeeded", 0)


async def test_a_missing_log_is_explained(bench: Bench) -> None:
    run_id = (await bench.request()).ref.run_id

    assert (await read(bench, run_id)).attempt is None
    with pytest.raises(NotFound, match="there is no run 77"):
        await read(bench, 77)
    with pytest.raises(NotFound, match="no log lines of an attempt under epoch 3"):
        await read(bench, run_id, 3)


async def test_a_line_is_stored_once_even_if_the_answer_of_the_commit_was_lost(
    bench: Bench, query: Query
) -> None:
    run_id = (await bench.request()).ref.run_id
    lines = [log_lines.Line(1, (await bench.run(run_id)).created_at, "info", "a line")]
    for _ in range(2):
        async with bench.db.begin() as connection:
            await log_lines.store(connection, (run_id, 1), lines)

    assert query("SELECT number, text FROM attempt_logs") == [{"number": 1, "text": "a line"}]
