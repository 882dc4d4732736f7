"""How long a source takes and will take, and what state it is shown in."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core import views
from app.core.views import SourceProgress
from tests.integration.conftest import Bench


@pytest.fixture
async def connection(bench: Bench) -> AsyncIterator[AsyncConnection]:
    """A transaction with one run of one source in it; `now()` stands still there."""
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


async def test_time_and_speed_are_those_of_the_present_attempt(connection) -> None:
    progress = await shown(connection, BEGAN, HALF_WAY)
    assert (progress.seconds, progress.eta) == (10, 20)


async def test_nothing_is_known_before_something_is_done_in_this_attempt(connection) -> None:
    progress = await shown(connection, BEGAN, HALF_WAY.replace("= 400", "= 600"))
    assert (progress.seconds, progress.eta) == (10, None)


async def test_an_earlier_attempt_does_not_count_until_the_present_one_is_at_it(connection) -> None:
    taken_up = BEGAN.replace("11 s", "1 s")
    progress = await shown(connection, taken_up, HALF_WAY)
    assert (progress.state, progress.seconds, progress.eta) == ("running", None, None)


async def test_no_time_passes_while_the_run_is_queued(connection) -> None:
    queued = BEGAN.replace("running", "queued")
    progress = await shown(connection, queued, HALF_WAY)
    assert (progress.state, progress.seconds, progress.eta) == ("queued", None, None)
    assert progress.done == 50


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
async def test_what_has_ended_shows_what_its_last_attempt_took(connection, state) -> None:
    ended = HALF_WAY.replace("running", state) + ", finished_at = now() - interval '3 s'"
    progress = await shown(connection, BEGAN, ended)
    assert (progress.state, progress.seconds, progress.eta) == (state, 7, None)


async def test_what_never_began_took_no_time(connection) -> None:
    progress = await shown(
        connection, "state = 'cancelled', finished_at = now()", "state = 'cancelled'"
    )
    assert (progress.state, progress.seconds, progress.eta) == ("cancelled", None, None)
