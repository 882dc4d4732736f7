"""The retention of former answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.annotation.data import retention as module
from app.annotation.data.moments import find_moment
from app.annotation.data.retention import Retention, retention
from app.core.errors import WrongUse
from app.core.runs.attempt import Attempt
from harness.timing import WAIT, limit
from tests.integration.conftest import Bench

NOW = datetime.now(UTC)

FORMER = """
INSERT INTO annotation_history (gene_id, source, state, valid_from, valid_to, origin_ids,
  origin_since)
VALUES (:gene, :source, 'absent', :since, :until, '{}', '{}')
"""


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
async def history(bench: Bench) -> Bench:
    """Each of 5 genes had 4 answers, which ended 400, 300, 200 and 100 days ago."""
    async with bench.db.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO genes (hgnc_id, symbol)"
                " SELECT 'HGNC:' || n, 'G' || n FROM generate_series(1, 5) n"
            )
        )
        rows = [
            {"gene": gene, "source": "hgnc", "since": ago(end + 100), "until": ago(end)}
            for gene in range(1, 6)
            for end in (400, 300, 200, 100)
        ]
        await connection.execute(text(FORMER), rows)
    return bench


async def rows(bench: Bench, query: str) -> list[Any]:
    async with bench.db.connect() as connection:
        return list((await connection.execute(text(query))).all())


async def change(bench: Bench, statement: str, **values: Any) -> None:
    async with bench.db.begin() as connection:
        await connection.execute(text(statement), values)


async def remove(bench: Bench, days: int) -> int:
    """Remove all removable answers, and return the number of batches."""
    keeper, batches, more = Retention(days), 0, True
    while more:
        async with bench.db.begin() as connection:
            more = await keeper.remove(connection)
        batches += 1
    return batches


ENDS = "SELECT DISTINCT valid_to FROM annotation_history ORDER BY 1"


async def test_former_answers_that_ended_longer_ago_are_removed(history: Bench) -> None:
    await remove(history, 250)
    assert [row.valid_to for row in await rows(history, ENDS)] == [ago(200), ago(100)]
    assert await rows(history, "SELECT * FROM history_horizon") == [("hgnc", ago(300))]


async def test_an_answer_that_was_valid_at_a_snapshot_is_kept(history: Bench) -> None:
    take = "INSERT INTO snapshots (name, at, by, manifest) VALUES ('paper', :at, 'ada', '{}')"
    await change(history, take, at=ago(350))
    await remove(history, 50)
    # the answers of 400 to 300 days ago were valid at the snapshot
    assert [row.valid_to for row in await rows(history, ENDS)] == [ago(300)]
    assert await rows(history, "SELECT complete_since FROM history_horizon") == [(ago(100),)]
    await change(history, "DELETE FROM snapshots")
    await remove(history, 50)
    assert await rows(history, ENDS) == []


async def test_a_moment_whose_answers_were_removed_cannot_be_read(history: Bench) -> None:
    await remove(history, 250)
    async with history.db.connect() as connection:
        with pytest.raises(WrongUse, match="incomplete"):
            await find_moment(connection, as_of=ago(301).isoformat())
        for days in (300, 250, 1):
            assert (await find_moment(connection, as_of=ago(days).isoformat())).at == ago(days)


async def test_nothing_is_recorded_if_nothing_is_removed(history: Bench) -> None:
    assert await remove(history, 1_000) == 1
    assert await rows(history, "SELECT * FROM history_horizon") == []


async def test_each_source_has_its_own_horizon(history: Bench) -> None:
    other = {"gene": 1, "source": "ensembl", "since": ago(900), "until": ago(800)}
    await change(history, FORMER, **other)
    await remove(history, 350)
    found = await rows(history, "SELECT * FROM history_horizon ORDER BY source")
    assert found == [("ensembl", ago(800)), ("hgnc", ago(400))]


async def test_a_batch_is_small_and_ends_between_two_times(
    history: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    # three batches of five answers each, and one that finds nothing
    assert await remove(history, 150) == 4
    assert [row.valid_to for row in await rows(history, ENDS)] == [ago(100)]


async def test_a_worker_removes_what_the_setting_says(history: Bench) -> None:
    async def nothing(attempt: Attempt) -> None:
        pass

    kept = [chore.name for chore in retention(history.settings)]
    assert "the retention of the history" not in kept
    settings = history.settings.model_copy(update={"history_days": 150})
    async with history.worker(nothing, chores=retention(settings)), limit(WAIT):
        while len(await rows(history, "SELECT FROM annotation_history")) > 5:
            pass
    assert [row.valid_to for row in await rows(history, ENDS)] == [ago(100)]
