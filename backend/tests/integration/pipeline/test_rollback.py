"""Rollbacks of a source: the restored answers, the history, and later runs."""

from datetime import datetime
from typing import Any

import pytest

from app.annotation.data import snapshots
from app.annotation.data.moments import NOW, Moment
from app.annotation.data.rollback import RolledBack, roll_back
from app.annotation.data.versions import answers_at
from app.core.errors import Conflict, NotFound, WrongUse
from tests.integration.pipeline.conftest import GENES, Annotator
from tests.integration.pipeline.test_history import ANOTHER, clock

VERSION = ("state", "data", "release", "origin_id")
CHECK = ("checked_state", "checked_at", "checked_run_id", "checked_origin_id")

NEXT_RELEASE = "UPDATE origins SET marker = 'one that is not there any more'"
"""Replaces the last known release by another one."""


async def back(
    annotator: Annotator, to: str | datetime, source: str = "hgnc", *, dry_run: bool = False
) -> RolledBack:
    async with annotator.bench.db.begin() as connection:
        return await roll_back(
            connection, source, str(to), note="a wrong release", by="ada", dry_run=dry_run
        )


async def at(annotator: Annotator, moment: Moment = NOW) -> dict[int, Any]:
    async with annotator.bench.db.connect() as connection:
        rows = (await connection.execute(answers_at(moment).select())).mappings()
        return {row["gene_id"]: dict(row) for row in rows if row["source"] == "hgnc"}


async def checks(annotator: Annotator) -> list[Any]:
    return await annotator.rows(f"SELECT {', '.join(CHECK)} FROM annotations ORDER BY gene_id")


async def changed_by_a_run(annotator: Annotator) -> tuple[datetime, Any]:
    """Let a run change three answers; return a time before it, and the run."""
    await annotator.run("hgnc")
    await annotator.change(ANOTHER)
    await annotator.change("UPDATE origins SET release = 'January', marker = 'January'")
    await annotator.change("UPDATE annotations SET release = 'January'")
    before = await clock(annotator)
    return before, await annotator.run("hgnc", mode="full")


async def test_genes_get_back_the_answers_of_the_moment_with_release_origin_and_date(
    annotator: Annotator,
) -> None:
    before, run = await changed_by_a_run(annotator)
    then = await at(annotator, Moment(before))
    replaced, checked = await at(annotator), await checks(annotator)
    done = await back(annotator, before)

    assert (done.genes, done.unknown, done.snapshot) == (3, 0, None)
    assert {each.state for each in done.examples} == {"found"}
    now = await at(annotator)
    for number in (1, 2, 3):
        assert [now[number][key] for key in VERSION] == [then[number][key] for key in VERSION]
        assert now[number]["release"] == "January"
        assert now[number]["fetched_at"] == then[number]["fetched_at"] < before
        assert now[number]["valid_from"] > replaced[number]["valid_from"]
    assert {n: now[n] for n in now if n > 3} == {n: replaced[n] for n in replaced if n > 3}
    assert await checks(annotator) == checked

    history = await annotator.rows(
        "SELECT * FROM annotation_history WHERE rollback_id = :id ORDER BY gene_id", id=done.id
    )
    assert [row["gene_id"] for row in history] == [1, 2, 3]
    for row in history:
        assert row["data"] == replaced[row["gene_id"]]["data"]
        assert (row["run_id"], row["changed_run_id"]) == (None, run.id)
        assert row["valid_to"] == now[row["gene_id"]]["valid_from"]
    (noted,) = await annotator.rows("SELECT * FROM rollbacks")
    assert (noted["source"], noted["to"], noted["genes"]) == ("hgnc", before, 3)
    assert (noted["by"], noted["note"]) == ("ada", "a wrong release")


async def test_a_past_moment_reads_the_same_before_and_after_a_rollback(
    annotator: Annotator,
) -> None:
    before, _ = await changed_by_a_run(annotator)
    between = await clock(annotator)
    moments = (Moment(before), Moment(between))
    read = [await at(annotator, moment) for moment in moments]
    await back(annotator, before)
    after = await clock(annotator)

    assert [await at(annotator, moment) for moment in moments] == read
    restored = await at(annotator, Moment(after))
    now = await at(annotator)
    for number, row in restored.items():
        assert [row[key] for key in VERSION] == [now[number][key] for key in VERSION]


async def test_a_rollback_can_be_rolled_back(annotator: Annotator) -> None:
    before, _ = await changed_by_a_run(annotator)
    between, replaced = await clock(annotator), await at(annotator)
    await back(annotator, before)
    again = await back(annotator, between)

    assert again.genes == 3
    for number, row in (await at(annotator)).items():
        assert [row[key] for key in VERSION] == [replaced[number][key] for key in VERSION]
    assert (await back(annotator, between)).id is None
    assert len(await annotator.rows("SELECT * FROM rollbacks")) == 2


async def test_a_smart_run_leaves_what_was_rolled_back_until_there_is_another_release(
    annotator: Annotator,
) -> None:
    before, _ = await changed_by_a_run(annotator)
    await back(annotator, before)
    restored = await at(annotator)
    same = await annotator.run("hgnc")

    assert (await annotator.progress(same.id))["hgnc"]["total"] == 0
    assert await at(annotator) == restored
    await annotator.change(NEXT_RELEASE)
    another = await annotator.run("hgnc")
    progress = (await annotator.progress(another.id))["hgnc"]
    assert (progress["total"], progress["changed"]) == (GENES, 3)


async def test_genes_that_had_no_answer_then_become_unknown_with_the_reason(
    annotator: Annotator,
) -> None:
    before = await clock(annotator)
    await annotator.run("hgnc")
    done = await back(annotator, before)

    assert (done.genes, done.unknown) == (GENES, GENES)
    for row in (await at(annotator)).values():
        assert (row["state"], row["data"], row["release"]) == ("unknown", None, None)
        assert row["origin_id"] is None
        assert row["reason"].startswith("rolled back to ")
    same = await annotator.run("hgnc")
    assert (await annotator.progress(same.id))["hgnc"]["total"] == 0
    await annotator.change(NEXT_RELEASE)
    another = await annotator.run("hgnc")
    assert (await annotator.progress(another.id))["hgnc"]["changed"] == GENES
    assert {row["reason"] for row in (await at(annotator)).values()} == {None}


async def test_a_source_is_rolled_back_to_a_snapshot_by_its_name(annotator: Annotator) -> None:
    await annotator.run("hgnc")
    await annotator.change(ANOTHER)
    async with annotator.bench.db.begin() as connection:
        await snapshots.take(connection, "paper", note=None, by="ada")
    await annotator.run("hgnc", mode="full")
    done = await back(annotator, "paper")

    assert (done.snapshot, done.genes) == ("paper", 3)
    (noted,) = await annotator.rows("SELECT * FROM rollbacks")
    assert noted["snapshot"] == "paper"


async def test_a_dry_run_changes_nothing(annotator: Annotator) -> None:
    before, _ = await changed_by_a_run(annotator)
    now = await at(annotator)
    done = await back(annotator, before, dry_run=True)

    assert (done.id, done.genes, done.dry_run, len(done.examples)) == (None, 3, True, 3)
    assert await at(annotator) == now
    assert await annotator.rows("SELECT * FROM rollbacks") == []


async def test_other_sources_stay_as_they_are(annotator: Annotator) -> None:
    before = await clock(annotator)
    await annotator.run("hgnc", "ensembl")
    others = "SELECT * FROM annotations WHERE source <> 'hgnc' ORDER BY gene_id"
    kept = await annotator.rows(others)
    await back(annotator, before)
    assert await annotator.rows(others) == kept


async def test_a_rollback_is_refused_while_a_run_covers_the_source(annotator: Annotator) -> None:
    before = await clock(annotator)
    created = await annotator.request("hgnc")
    with pytest.raises(Conflict, match=f"run {created.ref.run_id} covers hgnc"):
        await back(annotator, before)


async def test_no_run_begins_while_a_source_is_rolled_back(annotator: Annotator) -> None:
    before, _ = await changed_by_a_run(annotator)
    held = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 2 AND granted"
    async with annotator.bench.db.begin() as connection:
        await roll_back(connection, "hgnc", str(before), note=None, by="ada")
        # the lock under which runs are created
        assert await annotator.rows(held)
    assert not await annotator.rows(held)


@pytest.mark.parametrize("to", ["", "yesterday", "2999-01-01", "nosuch", "2026-02-30"])
async def test_a_text_that_is_not_a_moment_is_refused(annotator: Annotator, to: str) -> None:
    with pytest.raises(WrongUse):
        await back(annotator, to)


async def test_an_unknown_source_is_refused_with_the_nearest_name(annotator: Annotator) -> None:
    with pytest.raises(NotFound, match="did you mean hgnc"):
        await back(annotator, "2026-01-01", "hgcn")
