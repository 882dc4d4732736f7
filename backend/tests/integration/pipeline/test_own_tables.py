"""An own table is a source like any other."""

from pathlib import Path
from typing import Any

import pytest

from app.annotation.data.moments import NOW
from app.annotation.data.reading import read_genes
from app.annotation.data.selection import Selection
from app.annotation.overview.sources import sources_overview
from app.annotation.own_tables.reading import read_own_file
from app.annotation.own_tables.removal import remove
from app.annotation.own_tables.store import Added, add, known_names
from app.core.errors import Conflict, NotFound, WrongUse
from app.core.runs import operations
from tests.integration.pipeline.conftest import Annotator
from tests.people import ADA

NAME = "panels2026"


@pytest.fixture
def genes() -> int:
    return 1_200


async def added(annotator: Annotator, path: Path, **options: Any) -> Added:
    values = {"title": None, "licence": None, "release": None, "by": "ada"} | options
    async with annotator.bench.db.begin() as connection:
        file = read_own_file(path, await known_names(connection))
        return await add(connection, NAME, file, **values)


def written(tmp_path: Path, *lines: str, name: str = "panels.tsv") -> Path:
    path = tmp_path / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


async def run(annotator: Annotator, *sources: str, mode: str = "smart") -> Any:
    ended = await annotator.run(*sources, mode=mode)
    assert ended.state == "succeeded", ended.error
    return (await annotator.progress(ended.id))[NAME]


async def test_a_table_gives_three_answers_with_where_they_came_from(
    annotator: Annotator, tmp_path: Path
) -> None:
    await annotator.change(
        "INSERT INTO gene_names (hgnc_id, kind, name) SELECT hgnc_id, 'symbol', symbol FROM genes"
    )
    await annotator.change(
        "INSERT INTO gene_names (hgnc_id, kind, name) SELECT hgnc_id, 'previous', 'FORMER'"
        " FROM genes WHERE symbol = 'PKD2'"
    )
    await annotator.change(
        "INSERT INTO gene_names (hgnc_id, kind, name) SELECT hgnc_id, 'alias', 'TWO' FROM genes"
        " WHERE symbol IN ('NPHS1', 'NPHS2')"
    )
    path = written(
        tmp_path,
        "gene\thgnc_id\tpanel\tscore",
        "pkd1\t\tkidney\t1",
        "PKD1\t\tcyst\t2",
        "\tHGNC:9008\tliver\tNA",
        "Former\t\tcyst\t3",
        "TWO\t\tkidney\t4",
        "NOSUCH\t\tkidney\t5",
        "\tHGNC:77777777\tkidney\t6",
    )
    outcome = await added(annotator, path, title="Our panels", licence="CC BY 4.0", release="v1")
    assert (outcome.rows, outcome.genes_here, outcome.elsewhere) == (7, 4, 1)
    assert [(each.line, each.problem) for each in outcome.problems] == [
        (6, "ambiguous"),
        (7, "unknown name"),
    ]
    progress = await run(annotator, NAME)
    assert (progress["found"], progress["absent"], progress["unknown"]) == (2, 1_196, 2)
    pkd1 = await annotator.annotation("PKD1", NAME)
    assert pkd1["data"] == {
        "rows": [
            {"gene": "pkd1", "hgnc_id": None, "panel": "kidney", "score": 1},
            {"gene": "PKD1", "hgnc_id": None, "panel": "cyst", "score": 2},
            {"gene": None, "hgnc_id": "HGNC:9008", "panel": "liver", "score": None},
        ]
    }
    assert pkd1["release"] == "v1"
    assert (await annotator.annotation("PKD2", NAME))["state"] == "found"
    nphs1 = await annotator.annotation("NPHS1", NAME)
    assert (nphs1["state"], nphs1["reason"]) == (
        "unknown",
        "the name in line 6 may mean this gene or another one",
    )
    (origin,) = await annotator.rows(
        "SELECT o.files, t.file_name, t.digest, t.added_by FROM origins o, own_tables t"
        " WHERE o.source = :name",
        name=NAME,
    )
    assert origin["files"] == [{"address": "panels.tsv", "sha256": origin["digest"]}]
    assert origin["added_by"] == "ada"
    async with annotator.bench.db.connect() as connection:
        found = await sources_overview(connection, annotator.settings)
    overview = {each.name: each for each in found}
    assert (overview[NAME].title, overview[NAME].licence) == ("Our panels", "CC BY 4.0")
    assert overview[NAME].enabled


async def test_a_newer_file_is_a_new_release_and_the_same_one_changes_nothing(
    annotator: Annotator, tmp_path: Path
) -> None:
    first = written(tmp_path, "gene,score", "PKD1,1", "PKD2,2", name="a.csv")
    await added(annotator, first, release="1")
    assert (await run(annotator, NAME))["total"] == 1_200
    again = await added(annotator, first)
    assert again.unchanged
    assert (await run(annotator, NAME))["total"] == 0
    second = written(tmp_path, "gene,score", "PKD1,1", "PKD2,3", name="b.csv")
    assert not (await added(annotator, second, release="2")).unchanged
    assert (await run(annotator, NAME))["total"] == 1_200
    pkd2 = await annotator.annotation("PKD2", NAME)
    assert (pkd2["data"]["rows"][0]["score"], pkd2["release"]) == (3, "2")
    files = await annotator.rows(
        "SELECT file_name, replaced_at IS NULL AS current FROM own_tables ORDER BY id"
    )
    assert [tuple(row.values()) for row in files] == [("a.csv", False), ("b.csv", True)]
    rows = await annotator.rows("SELECT count(DISTINCT table_id) AS tables FROM own_rows")
    assert rows[0]["tables"] == 1


async def test_an_answer_has_the_licence_of_the_file_that_it_came_from(
    annotator: Annotator, tmp_path: Path
) -> None:
    await added(annotator, written(tmp_path, "gene", "PKD1", "PKD2"), licence="CC0")
    await run(annotator, NAME)
    # its answers are not stored yet
    await added(annotator, written(tmp_path, "gene", "PKD1", "PKD2", "TTN"), licence="secret")

    async def licences() -> set[str | None]:
        async with annotator.bench.db.connect() as connection:
            genes = await read_genes(connection, [1, 2], Selection(NOW, (NAME,), ()))
        return {gene.annotations[NAME].licence for gene in genes.values()}

    assert await licences() == {"CC0"}
    async with annotator.bench.db.begin() as connection:
        await remove(connection, NAME, forget=False)
    assert await licences() == {"CC0"}


async def test_a_newer_file_that_lost_much_is_held_until_it_is_accepted(
    annotator: Annotator, tmp_path: Path
) -> None:
    known = [row["symbol"] for row in await annotator.rows("SELECT symbol FROM genes ORDER BY id")]
    whole = written(tmp_path, "gene", *known[:100])
    await added(annotator, whole, release="1")
    assert (await run(annotator, NAME))["found"] == 100
    part = written(tmp_path, "gene", *known[:50])
    await added(annotator, part, release="2")
    ended = await annotator.run(NAME)
    assert (ended.state, "lost more than" in ended.error) == ("failed", True)
    kept = await annotator.rows(
        "SELECT count(*) AS n FROM annotations WHERE source = :name AND state = 'found'", name=NAME
    )
    assert kept[0]["n"] == 100
    async with annotator.bench.db.begin() as connection:
        await operations.accept(
            connection,
            ended.id,
            NAME,
            by="ada",
            note="half of them were retired",
            actor=ADA,
        )
    async with annotator.working():
        assert (await annotator.bench.ended(ended.id)).state == "succeeded"
    kept = await annotator.rows(
        "SELECT count(*) AS n FROM annotations WHERE source = :name AND state = 'found'", name=NAME
    )
    assert kept[0]["n"] == 50


async def test_a_gene_without_the_id_of_the_table_is_unknown(
    annotator: Annotator, tmp_path: Path
) -> None:
    await annotator.change("UPDATE genes SET entrez_id = NULL WHERE symbol = 'PKD2'")
    await added(annotator, written(tmp_path, "entrez_id\tn", "5310\t1", "5311\t1"))
    await run(annotator, NAME)
    assert (await annotator.annotation("PKD1", NAME))["state"] == "found"
    lacking = await annotator.annotation("PKD2", NAME)
    assert (lacking["state"], "has no Entrez id" in lacking["reason"]) == ("unknown", True)


async def test_more_rows_about_a_gene_than_an_answer_may_have_are_unknown(
    annotator: Annotator, tmp_path: Path
) -> None:
    many = ["PKD1\t" + "x" * 1_000] * 200
    await added(annotator, written(tmp_path, "gene\tnote", "PKD2\ta", *many))
    progress = await run(annotator, NAME)
    assert (progress["found"], progress["unknown"]) == (1, 1)
    reason = (await annotator.annotation("PKD1", NAME))["reason"]
    assert reason == "the table has 200 rows about the gene, too much to store"


async def test_a_run_of_all_sources_covers_the_table_until_it_is_removed(
    annotator: Annotator, tmp_path: Path
) -> None:
    await added(annotator, written(tmp_path, "gene", "PKD1"))
    created = await annotator.request()
    assert NAME in await annotator.progress(created.ref.run_id)
    await annotator.change("DELETE FROM run_sources")
    await annotator.change("DELETE FROM runs")
    await run(annotator, NAME)
    async with annotator.bench.db.begin() as connection:
        assert await remove(connection, NAME, forget=False) == 0
    with pytest.raises(WrongUse, match="unknown source 'panels2026'"):
        await annotator.request(NAME)
    assert (await annotator.annotation("PKD1", NAME))["state"] == "found"
    async with annotator.bench.db.begin() as connection:
        assert await remove(connection, NAME, forget=True) == 1_200
    assert await annotator.rows("SELECT 1 FROM annotations WHERE source = :name", name=NAME) == []
    async with annotator.bench.db.begin() as connection:
        with pytest.raises(NotFound):
            await remove(connection, "other", forget=True)


async def test_a_run_whose_table_was_removed_meanwhile_fails_and_says_so(
    annotator: Annotator, tmp_path: Path
) -> None:
    await added(annotator, written(tmp_path, "gene", "PKD1"))
    created = await annotator.request(NAME)
    async with annotator.bench.db.begin() as connection:
        with pytest.raises(Conflict, match=f"run {created.ref.run_id} covers panels2026"):
            await remove(connection, NAME, forget=False)
    # by a version that did not look for runs, for example
    await annotator.change("UPDATE own_tables SET replaced_at = now()")
    async with annotator.working():
        ended = await annotator.bench.ended(created.ref.run_id)
    assert (ended.state, "no own table has this name" in ended.error) == (
        "failed",
        True,
    )


@pytest.mark.parametrize("name", ["hgnc", "all", "Panels", "x" * 31, "1st", "a b", "", "a'b"])
async def test_a_name_that_no_own_table_may_have_is_refused(
    annotator: Annotator, tmp_path: Path, name: str
) -> None:
    path = written(tmp_path, "gene", "PKD1")
    async with annotator.bench.db.begin() as connection:
        file = read_own_file(path, await known_names(connection))
        with pytest.raises(WrongUse):
            await add(connection, name, file, title=None, licence=None, release=None, by="ada")
