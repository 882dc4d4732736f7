"""The history of replaced answers."""

from datetime import datetime
from typing import Any

import pytest

from app.annotation.data.moments import Moment, find_moment
from app.annotation.data.versions import answers_at
from app.core.errors import NotFound, WrongUse
from tests.integration.pipeline.conftest import GENES, Annotator

ANOTHER = """
UPDATE annotations SET data = data || '{"hgnc_id": "HGNC:0"}', release = 'a former release'
WHERE source = 'hgnc' AND gene_id <= 3
"""
"""Makes three stored answers differ from what the source says."""


async def at(annotator: Annotator, moment: Moment) -> dict[int, Any]:
    """Return the answers of HGNC at a moment, by gene."""
    answers = answers_at(moment)
    async with annotator.bench.db.connect() as connection:
        rows = (await connection.execute(answers.select())).mappings()
        return {row["gene_id"]: row for row in rows}


async def clock(annotator: Annotator) -> datetime:
    return (await annotator.rows("SELECT clock_timestamp() AS at"))[0]["at"]


async def test_a_run_with_unchanged_answers_writes_no_history(annotator: Annotator) -> None:
    first = await annotator.run("hgnc", mode="full")
    before = await annotator.rows("SELECT gene_id, valid_from FROM annotations ORDER BY 1")
    again = await annotator.run("hgnc", mode="full")

    assert await annotator.rows("SELECT * FROM annotation_history") == []
    assert await annotator.rows("SELECT gene_id, valid_from FROM annotations ORDER BY 1") == before
    for run in (first, again):
        assert (await annotator.progress(run.id))["hgnc"]["changed"] == 0


async def test_a_former_answer_goes_into_the_history_with_the_run_that_replaced_it(
    annotator: Annotator,
) -> None:
    first = await annotator.run("hgnc")
    await annotator.change(ANOTHER)
    former = await at(annotator, Moment())
    between = await clock(annotator)
    second = await annotator.run("hgnc", mode="full")

    history = await annotator.rows("SELECT * FROM annotation_history ORDER BY gene_id")
    assert [row["gene_id"] for row in history] == [1, 2, 3]
    present = await at(annotator, Moment())
    for row in history:
        old, new = former[row["gene_id"]], present[row["gene_id"]]
        assert (row["state"], row["data"]) == (old["state"], old["data"])
        assert row["data"]["hgnc_id"] == "HGNC:0"
        assert new["data"]["hgnc_id"] != "HGNC:0"
        assert row["release"] == "a former release"
        assert (row["changed_run_id"], row["run_id"]) == (first.id, second.id)
        assert (row["valid_from"], row["valid_to"]) == (old["valid_from"], new["valid_from"])
        assert row["valid_from"] < between < row["valid_to"]
    assert (await annotator.progress(second.id))["hgnc"]["changed"] == 3
    unchanged = {number: row["valid_from"] for number, row in present.items() if number > 3}
    assert unchanged == {number: former[number]["valid_from"] for number in unchanged}


async def test_the_answers_of_a_past_moment_are_those_that_were_valid_then(
    annotator: Annotator,
) -> None:
    before = await clock(annotator)
    await annotator.run("hgnc")
    await annotator.change(ANOTHER)
    between = await clock(annotator)
    former = await at(annotator, Moment())
    await annotator.run("hgnc", mode="full")

    assert await at(annotator, Moment(before)) == {}
    then = await at(annotator, Moment(between))
    assert {number: row["data"] for number, row in then.items()} == {
        number: row["data"] for number, row in former.items()
    }
    assert len(then) == GENES
    for number, row in then.items():
        assert row["run_id"] == former[number]["run_id"]
        assert row["origin_id"] == former[number]["origin_id"]
    now = await at(annotator, Moment(await clock(annotator)))
    assert all(row["data"]["hgnc_id"] != "HGNC:0" for row in now.values())


async def test_a_past_answer_has_the_release_that_had_given_it_until_then(
    annotator: Annotator,
) -> None:
    await annotator.run("hgnc")
    # the release of the first run is given another name, so that the second run records its own
    await annotator.change("UPDATE origins SET release = 'January', marker = 'January'")
    await annotator.change("UPDATE annotations SET release = 'January'")
    in_january = await clock(annotator)
    later = await annotator.run("hgnc")

    assert await annotator.rows("SELECT * FROM annotation_history") == []
    then, now = await at(annotator, Moment(in_january)), await at(annotator, Moment())
    assert {row["release"] for row in then.values()} == {"January"}
    assert "January" not in {row["release"] for row in now.values()}
    today = await at(annotator, Moment(await clock(annotator)))
    for number, row in today.items():
        assert row["release"] == now[number]["release"]
        assert row["origin_id"] == now[number]["origin_id"]
        assert now[number]["run_id"] == later.id
        assert row["run_id"] is None
        assert then[number]["valid_from"] == row["valid_from"]


async def test_an_unknown_answer_does_not_end_the_validity_of_the_last_good_one(
    annotator: Annotator,
) -> None:
    await annotator.run("ensembl")
    before = await at(annotator, Moment())
    annotator.sandbox.fault("ensembl", "invalid-json")
    await annotator.run("ensembl", mode="full")

    after = await at(annotator, Moment())
    assert await annotator.rows("SELECT * FROM annotation_history") == []
    kept = ("state", "data", "release", "valid_from", "fetched_at", "origin_id", "run_id")
    for number, row in after.items():
        assert [row[key] for key in kept] == [before[number][key] for key in kept]


async def test_the_first_good_answer_replaces_unknown(annotator: Annotator) -> None:
    await annotator.change(
        "INSERT INTO annotations (gene_id, source, state, checked_state)"
        " VALUES (1, 'hgnc', 'unknown', 'unknown')"
    )
    run = await annotator.run("hgnc")

    (row,) = await annotator.rows("SELECT * FROM annotation_history")
    assert (row["gene_id"], row["state"], row["data"], row["run_id"]) == (
        1, "unknown", None, run.id,
    )  # fmt: skip
    assert (await annotator.progress(run.id))["hgnc"]["changed"] == 1


async def test_an_answer_is_valid_after_the_former_one_even_if_the_clock_was_set_back(
    annotator: Annotator,
) -> None:
    await annotator.run("hgnc")
    await annotator.change(ANOTHER)
    await annotator.change("UPDATE annotations SET valid_from = now() + interval '1 day'")
    await annotator.run("hgnc", mode="full")

    rows = await annotator.rows(
        "SELECT h.valid_from < h.valid_to AND h.valid_to = a.valid_from AS ok"
        " FROM annotation_history h JOIN annotations a USING (gene_id, source)"
    )
    assert [row["ok"] for row in rows] == [True] * 3


@pytest.mark.parametrize(
    "as_of",
    [
        "", "yesterday", "2026-13-01", "2026-02-30", "2999-01-01", "2999-01-01T00:00:00Z",
        "2026-03-31T18:00:00", "20260331", "0000-01-01", "-1", "2026-03-31T18:00:00+99:00",
    ],
)  # fmt: skip
async def test_a_malformed_time_is_refused(annotator: Annotator, as_of: str) -> None:
    async with annotator.bench.db.connect() as connection:
        with pytest.raises(WrongUse, match="as_of"):
            await find_moment(connection, as_of=as_of)


async def test_a_day_means_its_end(annotator: Annotator) -> None:
    async with annotator.bench.db.connect() as connection:
        past = await find_moment(connection, as_of="2026-03-31")
        zoned = await find_moment(connection, as_of="2026-04-01T02:00:00 02:00")
    assert str(past.at) == "2026-04-01 00:00:00+00:00"
    assert zoned.at == past.at


async def test_a_moment_of_which_the_history_was_removed_is_refused_except_a_snapshot(
    annotator: Annotator,
) -> None:
    await annotator.change("INSERT INTO history_horizon VALUES ('hgnc', '2026-02-01')")
    await annotator.change(
        "INSERT INTO snapshots (name, at, by, manifest) VALUES ('paper', '2026-01-15', 'x', '{}')"
    )
    async with annotator.bench.db.connect() as connection:
        with pytest.raises(WrongUse, match="incomplete"):
            await find_moment(connection, as_of="2026-01-30")
        assert (await find_moment(connection, as_of="2026-02-01")).at is not None
        assert (await find_moment(connection, snapshot="paper")).snapshot == "paper"
        with pytest.raises(NotFound, match="did you mean paper"):
            await find_moment(connection, snapshot="papre")
