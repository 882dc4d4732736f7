"""The duration, the eta and the state that are shown for a source."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cli.output import local_time
from app.core.runs import views
from app.core.runs.shapes import SourceProgress
from app.core.workers.views import worker_status
from app.db.times import EARLIEST, LATEST
from tests.integration.conftest import Bench


@pytest.fixture
async def connection(bench: Bench) -> AsyncIterator[AsyncConnection]:
    """A transaction with one run of one source. `now()` does not change in it."""
    await bench.request(["a"])
    async with bench.db.begin() as connection:
        yield connection


async def shown(connection: AsyncConnection, run: str, source: str) -> SourceProgress:
    await connection.execute(text(f"UPDATE runs SET {run}"))
    await connection.execute(text(f"UPDATE run_sources SET {source}"))
    found = await views.get_run(connection, 1)
    assert found.eta == found.progress[0].eta
    return found.progress[0]


BEGAN = "state = 'running', attempt_started_at = now() - interval '11 s'"
HALF_WAY = (
    "state = 'running', started_at = now() - interval '1 hour', total = 100, done = 50,"
    " weight_total = 1000, weight_done = 600, weight_at_start = 400,"
    " attempt_started_at = now() - interval '10 s'"
)


async def test_time_and_speed_are_measured_in_the_present_attempt(connection) -> None:
    progress = await shown(connection, BEGAN, HALF_WAY)
    assert (progress.seconds, progress.eta) == (10, 20)


async def test_there_is_no_eta_before_the_present_attempt_has_done_something(connection) -> None:
    progress = await shown(connection, BEGAN, HALF_WAY.replace("= 400", "= 600"))
    assert (progress.seconds, progress.eta) == (10, None)


async def test_the_times_of_an_earlier_attempt_are_not_shown(connection) -> None:
    taken_up = BEGAN.replace("11 s", "1 s")
    progress = await shown(connection, taken_up, HALF_WAY)
    assert (progress.state, progress.seconds, progress.eta) == ("running", None, None)


async def test_no_time_passes_while_the_run_is_queued(connection) -> None:
    queued = BEGAN.replace("running", "queued")
    progress = await shown(connection, queued, HALF_WAY)
    assert (progress.state, progress.seconds, progress.eta) == ("queued", None, None)
    assert progress.done == 50


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
async def test_an_ended_source_shows_the_duration_of_its_last_attempt(connection, state) -> None:
    ended = HALF_WAY.replace("running", state) + ", finished_at = now() - interval '3 s'"
    progress = await shown(connection, BEGAN, ended)
    assert (progress.state, progress.seconds, progress.eta) == (state, 7, None)


async def test_a_source_that_never_began_has_no_duration(connection) -> None:
    progress = await shown(
        connection, "state = 'cancelled', finished_at = now()", "state = 'cancelled'"
    )
    assert (progress.state, progress.seconds, progress.eta) == ("cancelled", None, None)


@pytest.mark.parametrize(
    "at", ["33715-01-01", "infinity", "9999-12-31 23:59:59", "-infinity", "0044-03-15 BC"]
)
async def test_a_row_with_an_impossible_time_does_not_break_the_list(
    connection: AsyncConnection, at: str
) -> None:
    times = ("created_at", "started_at", "attempt_started_at", "progressed_at", "finished_at")
    for table, columns in {
        "runs": (*times, "not_before"),
        "run_sources": ("started_at", "attempt_started_at", "finished_at"),
        "run_events": ("at",),
    }.items():
        await connection.execute(
            text(f"UPDATE {table} SET " + ", ".join(f"{name} = :at" for name in columns)),
            {"at": at},
        )
    await connection.execute(
        text(
            "INSERT INTO workers (kind, host, pid, session, version, started_at, heartbeat_at)"
            " VALUES ('arq', 'h', 1, 's', 'v', :at, 'infinity')"
        ),
        {"at": at},
    )
    listed = (await views.list_runs(connection, limit=9)).runs
    assert listed == [await views.get_run(connection, 1)]
    shown = await views.latest_events(connection, 1, limit=9)
    status = await worker_status(connection, arq_health=None)
    assert [each.run for each in status.waiting] == [1]
    assert len(status.workers) == 1
    bound = EARLIEST if at.startswith("-") or at.endswith("BC") else LATEST
    found = [listed[0].not_before, listed[0].created_at, listed[0].progress[0].started_at]
    found += [shown[0].at, status.waiting[0].not_before, status.workers[0].started_at]
    assert set(found) == {bound}
    for each in found:
        assert local_time(each)
    for view in (listed[0], shown[0], status):
        assert view.model_dump_json()


async def test_possible_times_are_read_unchanged(connection: AsyncConnection) -> None:
    at = datetime(2026, 11, 25, 20, 15, 30, 123456, tzinfo=UTC)
    await connection.execute(text("UPDATE runs SET not_before = :at"), {"at": at})
    assert (await views.get_run(connection, 1)).not_before == at
