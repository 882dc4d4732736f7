"""Snapshots: what they freeze, their manifest, and that they do not change."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.annotation.data import snapshots
from app.annotation.data.citation import citation
from app.annotation.data.manifest import Manifest, manifest_of
from app.annotation.data.moments import NOW, Moment, find_moment
from app.annotation.data.snapshots import Snapshot
from app.annotation.data.versions import answers_at
from app.annotation.own_tables import removal, store
from app.annotation.own_tables.reading import read_own_file
from app.core.errors import Conflict, NotFound, WrongUse
from tests.integration.pipeline.conftest import GENES, Annotator
from tests.integration.pipeline.test_history import ANOTHER


async def take(annotator: Annotator, name: str, note: str | None = None) -> Snapshot:
    async with annotator.bench.db.begin() as connection:
        return await snapshots.take(connection, name, note=note, by="ada")


async def manifest(annotator: Annotator, moment: Moment) -> Manifest:
    async with annotator.bench.db.connect() as connection:
        return await manifest_of(connection, moment)


async def answers(annotator: Annotator, moment: Moment) -> dict[tuple[int, str], Any]:
    async with annotator.bench.db.connect() as connection:
        rows = (await connection.execute(answers_at(moment).select())).mappings()
        return {(row["gene_id"], row["source"]): row["data"] for row in rows}


async def test_a_snapshot_keeps_its_answers_when_a_run_changes_them(annotator: Annotator) -> None:
    await annotator.run("hgnc")
    await annotator.change(ANOTHER)
    before = await answers(annotator, NOW)
    taken = await take(annotator, "paper", "as submitted")
    await annotator.run("hgnc", mode="full")

    assert await answers(annotator, NOW) != before
    async with annotator.bench.db.connect() as connection:
        moment = await find_moment(connection, snapshot="paper")
    assert moment == Moment(taken.at, "paper")
    assert await answers(annotator, moment) == before


async def test_the_manifest_lists_the_sources_and_releases_of_the_snapshot(
    annotator: Annotator,
) -> None:
    await annotator.run("hgnc", "ensembl")
    taken = await take(annotator, "paper", "as submitted")

    found = taken.manifest
    assert (found.snapshot, found.note, found.at) == ("paper", "as submitted", taken.at)
    assert found.genes == GENES
    assert [*found.sources] == ["hgnc", "ensembl"]
    hgnc = found.sources["hgnc"]
    assert hgnc.title == "HGNC"
    assert hgnc.licence
    assert hgnc.attribution
    assert hgnc.found + hgnc.absent + hgnc.unknown == GENES
    (release,) = hgnc.releases
    (origin,) = await annotator.rows("SELECT * FROM origins WHERE source = 'hgnc'")
    assert (release.release, release.parser) == (origin["release"], origin["parser"])
    assert [each.model_dump() for each in release.files] == origin["files"]
    assert release.genes == hgnc.found + hgnc.absent
    assert await manifest(annotator, Moment(taken.at, "paper")) == found


async def test_the_manifest_of_a_time_is_that_of_the_answers_then(annotator: Annotator) -> None:
    await annotator.run("hgnc")
    taken = await take(annotator, "paper")
    await annotator.change(ANOTHER)
    await annotator.run("hgnc", "ensembl", mode="full")

    then = await manifest(annotator, Moment(taken.at))
    assert then.model_copy(update={"snapshot": "paper"}) == taken.manifest
    assert [*(await manifest(annotator, NOW)).sources] == ["hgnc", "ensembl"]


async def test_the_manifest_has_the_columns_of_an_own_table_also_when_it_was_removed(
    annotator: Annotator, tmp_path: Path
) -> None:
    path = tmp_path / "panels.csv"
    symbol = (await annotator.rows("SELECT symbol FROM genes WHERE id = 1"))[0]["symbol"]
    path.write_text(f"gene,score\n{symbol},0.9\n")
    async with annotator.bench.db.begin() as connection:
        await store.add(
            connection, "panels", read_own_file(path, {symbol}.__contains__),
            title="Our panels", licence="own data", release="1", by="ada",
        )  # fmt: skip
    await annotator.run("panels")
    async with annotator.bench.db.begin() as connection:
        await removal.remove(connection, "panels", forget=False)
    found = (await take(annotator, "paper")).manifest.sources["panels"]

    assert (found.title, found.licence, found.found) == ("Our panels", "own data", 1)
    assert found.columns == {"gene": "text", "score": "number"}
    assert "added by ada" in (found.attribution or "")
    async with annotator.bench.db.begin() as connection:
        with pytest.raises(Conflict, match="snapshot paper") as refused:
            await removal.remove(connection, "panels", forget=True)
    assert "just snapshot paper --delete --force" in str(refused.value)
    async with annotator.bench.db.begin() as connection:
        await snapshots.delete_snapshot(connection, "paper", force=True)
        assert await removal.remove(connection, "panels", forget=True) == GENES


async def test_a_snapshot_waits_for_an_open_write_and_contains_it(
    annotator: Annotator,
) -> None:
    await annotator.run("hgnc")
    changed = text("UPDATE annotations SET data = '{}', valid_from = clock_timestamp()")
    async with annotator.bench.db.connect() as writer:
        await writer.execute(changed)
        taking = asyncio.create_task(take(annotator, "paper"))
        await _somebody_waits(annotator, "annotations")
        assert not taking.done()
        await writer.commit()
    taken = await taking

    assert set(map(str, (await answers(annotator, Moment(taken.at))).values())) == {"{}"}


async def test_what_commits_after_a_snapshot_is_not_in_it(annotator: Annotator) -> None:
    await annotator.run("hgnc")
    await annotator.change(ANOTHER)
    before = await answers(annotator, NOW)
    add = text("INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:0', 'NEW')")
    async with annotator.bench.db.connect() as writer, annotator.bench.db.connect() as taker:
        # its transaction begins before the snapshot is taken
        await writer.execute(text("SELECT now()"))
        taken = await snapshots.take(taker, "paper", note=None, by="ada")
        adding = asyncio.create_task(writer.execute(add))
        await _somebody_waits(annotator, "genes")
        run = asyncio.create_task(annotator.run("hgnc", mode="full"))
        await _somebody_waits(annotator, "annotations")
        await taker.commit()
        await adding
        await writer.commit()
    await run

    assert await answers(annotator, NOW) != before
    assert await answers(annotator, Moment(taken.at)) == before
    assert (await manifest(annotator, Moment(taken.at))).genes == taken.manifest.genes == GENES


async def _somebody_waits(annotator: Annotator, table: str) -> None:
    waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = CAST(:table AS regclass)"
    while not await annotator.rows(waiting, table=table):
        await asyncio.sleep(0.01)


async def test_an_answer_that_comes_later_is_not_in_the_snapshot_even_if_the_clock_was_set_back(
    annotator: Annotator,
) -> None:
    await annotator.run("hgnc")
    await annotator.change(ANOTHER)
    await annotator.change("UPDATE annotations SET valid_from = now() + '1 day' WHERE gene_id = 9")
    before = await answers(annotator, NOW)
    taken = await take(annotator, "paper")
    await annotator.run("hgnc", mode="full")

    assert await answers(annotator, NOW) != before
    assert await answers(annotator, Moment(taken.at)) == before
    assert (await take(annotator, "later")).at > taken.at


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE genes SET created_at = now() + '1 day' WHERE id = 1",
        "INSERT INTO gene_events (gene_id, event, at) VALUES (1, 'renamed', now() + '1 day')",
        "UPDATE annotations SET origin_since = ARRAY[now() + '1 day'] WHERE gene_id = 1",
    ],
)
async def test_a_snapshot_is_later_than_all_stored_answers_even_if_the_clock_was_set_back(
    annotator: Annotator, statement: str
) -> None:
    await annotator.run("hgnc")
    await annotator.change(statement)
    (now,) = await annotator.rows("SELECT now() AS at")
    assert (await take(annotator, "paper")).at > now["at"] + timedelta(hours=23)


async def test_a_write_that_does_not_end_is_reported(
    annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "LOCK_TIMEOUT", 0.1)
    await annotator.run("hgnc")
    async with annotator.bench.db.connect() as writer:
        await writer.execute(text("UPDATE annotations SET reason = 'x' WHERE gene_id = 1"))
        with pytest.raises(Conflict, match="writing answers") as refused:
            await take(annotator, "paper")
    assert refused.value.steps
    assert (await take(annotator, "paper")).name == "paper"


async def test_a_snapshot_cannot_be_changed(annotator: Annotator) -> None:
    await take(annotator, "paper")
    with pytest.raises(Conflict, match="cannot be changed"):
        await take(annotator, "paper")
    with pytest.raises(DBAPIError, match="a snapshot cannot be changed"):
        await annotator.change("UPDATE snapshots SET at = now()")


async def test_only_one_of_two_snapshots_of_one_name_is_taken(annotator: Annotator) -> None:
    async def attempt() -> datetime | None:
        try:
            return (await take(annotator, "paper")).at
        except Conflict:
            return None

    times = await asyncio.gather(*(attempt() for _ in range(4)))
    assert len([each for each in times if each is not None]) == 1


@pytest.mark.parametrize(
    "name",
    ["", "2026", "2026-03-31", "Paper", "a b", "a/b", "now", "é", "a" * 31, "a\n", "a\0", "-a"],
)
async def test_an_ambiguous_name_for_a_snapshot_is_refused(annotator: Annotator, name: str) -> None:
    with pytest.raises(WrongUse, match="name of a snapshot"):
        await take(annotator, name)


async def test_deleting_a_snapshot_needs_force(annotator: Annotator) -> None:
    await take(annotator, "paper.v1")
    async with annotator.bench.db.begin() as connection:
        with pytest.raises(WrongUse, match="not deleted"):
            await snapshots.delete_snapshot(connection, "paper.v1", force=False)
        with pytest.raises(NotFound, match=r"did you mean paper\.v1"):
            await snapshots.delete_snapshot(connection, "paper.v2", force=True)
        await snapshots.delete_snapshot(connection, "paper.v1", force=True)
        assert await snapshots.list_snapshots(connection) == []


async def test_a_snapshot_of_an_empty_database_can_be_taken_and_cited(
    annotator: Annotator,
) -> None:
    taken = await take(annotator, "empty")
    assert taken.manifest.sources == {}
    assert "Sources: none." in citation(taken.manifest)
