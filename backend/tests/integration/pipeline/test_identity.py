"""Updates of the identity of genes from HGNC's files are stored once."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from app.annotation.data.genes import genes_at
from app.annotation.data.moments import Moment
from app.annotation.genes.former import with_former_names
from app.annotation.genes.identity import apply
from app.annotation.settings import Settings
from app.annotation.sources.answers import Gene
from app.annotation.sources.hgnc.identity import read
from app.annotation.sources.hgnc.records import FIELDS, read_withdrawn
from harness.waiting import eventually
from sandbox.server import Sandbox
from tests.integration.pipeline.conftest import Annotator
from tests.integration.pipeline.mirror import Mirror
from tests.plant import Plant

Rows = dict[str, dict[str, str]]

WITHDRAWN = "/withdrawn.txt$"
COMPLETE_SET = "/hgnc_complete_set.txt$"


@pytest.fixture
def mirror(sandbox: Sandbox) -> Iterator[Mirror]:
    with Mirror(sandbox.url) as mirror:
        yield mirror


@pytest.fixture
def settings(settings: Settings, mirror: Mirror) -> Settings:
    values = settings.model_dump()
    for name in ("hgnc_rest", "hgnc_files"):
        values[f"{name}_url"] = mirror.url + "/" + values[f"{name}_url"].rpartition("/")[2]
    return Settings(**values, _env_file=None)


def changed(edit: Callable[[Rows], object]) -> Callable[[bytes], bytes]:
    """Edit the rows of the complete set, by HGNC id."""

    def change(file: bytes) -> bytes:
        reader = csv.DictReader(io.StringIO(file.decode()), delimiter="\t")
        rows = {row["hgnc_id"]: row for row in reader}
        edit(rows)
        columns = list(reader.fieldnames or ())
        lines = ["\t".join(columns)]
        lines += ["\t".join(row.get(name, "") or "" for name in columns) for row in rows.values()]
        return ("\n".join(lines) + "\n").encode()

    return change


def without(*hgnc_ids: str) -> Callable[[bytes], bytes]:
    return changed(lambda rows: [rows.pop(each) for each in hgnc_ids])


def withdrawn(*rows: str) -> bytes:
    head = "HGNC_ID\tSTATUS\tWITHDRAWN_SYMBOL\tMERGED_INTO_REPORT(S) (i.e HGNC_ID|SYMBOL|STATUS)"
    return "".join(f"{row}\n" for row in (head, *rows)).encode()


def merged(gone: str, *into: str) -> str:
    targets = ", ".join(f"{each}|SYMBOL|Approved" for each in into)
    return f"{gone}\t{'Merged/Split' if into else 'Entry Withdrawn'}\tOLD\t{targets}"


async def events(annotator: Annotator) -> list[tuple[str, str, Any]]:
    rows = await annotator.rows(
        "SELECT g.hgnc_id, e.event, e.detail FROM gene_events e JOIN genes g ON g.id = e.gene_id"
        " ORDER BY e.id"
    )
    return [(row["hgnc_id"], row["event"], row["detail"]) for row in rows]


async def gene(annotator: Annotator, hgnc_id: str) -> Mapping[str, Any]:
    (row,) = await annotator.rows(
        "SELECT g.id, g.symbol, g.ensembl_gene_id, g.withdrawn_at IS NOT NULL AS gone,"
        " s.hgnc_id AS successor FROM genes g LEFT JOIN genes s ON s.id = g.successor_id"
        " WHERE g.hgnc_id = :hgnc_id",
        hgnc_id=hgnc_id,
    )
    return row


async def annotations(annotator: Annotator, hgnc_id: str) -> list[Any]:
    return await annotator.rows(
        "SELECT a.* FROM annotations a JOIN genes g ON g.id = a.gene_id WHERE g.hgnc_id = :hgnc_id"
        " ORDER BY a.source",
        hgnc_id=hgnc_id,
    )


async def refreshed(annotator: Annotator) -> None:
    run = await annotator.run("hgnc", mode="full")
    assert run.state == "succeeded", run.error
    (progress,) = (await annotator.progress(run.id)).values()
    assert progress["done"] == progress["total"]


async def test_the_names_of_all_approved_genes_are_stored_even_if_not_imported(
    annotator: Annotator, sandbox: Sandbox
) -> None:
    await annotator.change("DELETE FROM genes WHERE id % 10 = 0")
    await refreshed(annotator)
    rows = await annotator.rows("SELECT hgnc_id, kind, name FROM gene_names")
    names = {tuple(row.values()) for row in rows}
    known = sandbox.catalogue.genes
    assert {(each.hgnc_id, "symbol", each.symbol) for each in known} <= names
    assert {(g.hgnc_id, "previous", name) for g in known for name in g.previous} <= names
    assert {(g.hgnc_id, "alias", name) for g in known for name in g.aliases} <= names
    assert ("HGNC:990101", "symbol", "SYNLNC1") in names
    assert await events(annotator) == []


async def test_a_new_symbol_and_other_ids_are_events_once(
    annotator: Annotator, mirror: Mirror, sandbox: Sandbox
) -> None:
    await refreshed(annotator)
    old = sandbox.catalogue.genes[3]

    def edit(rows: Rows) -> None:
        rows[old.hgnc_id] |= {
            "symbol": "NEWNAME",
            "prev_symbol": old.symbol,
            "ensembl_gene_id": "ENSG99",
            "entrez_id": "",
        }

    mirror.changes[COMPLETE_SET] = changed(edit)
    for _ in range(2):
        await refreshed(annotator)
        assert (await gene(annotator, old.hgnc_id))["symbol"] == "NEWNAME"
        assert await events(annotator) == [
            (old.hgnc_id, "renamed", {"from": old.symbol, "to": "NEWNAME"}),
            (old.hgnc_id, "ensembl id changed", {"from": old.ensembl_id, "to": "ENSG99"}),
            (old.hgnc_id, "entrez id changed", {"from": old.entrez_id, "to": None}),
        ]
    names = await annotator.rows(
        "SELECT kind, name FROM gene_names WHERE hgnc_id = :id AND kind <> 'alias'", id=old.hgnc_id
    )
    assert {tuple(row.values()) for row in names} == {
        ("symbol", "NEWNAME"),
        ("previous", old.symbol),
    }


async def test_a_gene_that_is_not_due_is_renamed_as_well(
    annotator: Annotator, mirror: Mirror, sandbox: Sandbox
) -> None:
    await refreshed(annotator)
    old = sandbox.catalogue.genes[3]
    mirror.changes[COMPLETE_SET] = changed(lambda rows: rows[old.hgnc_id].update(symbol="NEW"))
    await annotator.change(
        "UPDATE annotations SET checked_at = now() - interval '1 year' WHERE gene_id NOT IN"
        f" (SELECT id FROM genes WHERE hgnc_id = '{old.hgnc_id}')"
    )
    assert (await annotator.run("hgnc")).state == "succeeded"
    assert (await gene(annotator, old.hgnc_id))["symbol"] == "NEW"


async def test_a_merged_gene_keeps_its_annotations_and_is_not_asked_about(
    annotator: Annotator, mirror: Mirror, sandbox: Sandbox
) -> None:
    gone, successor = sandbox.catalogue.genes[5].hgnc_id, sandbox.catalogue.genes[6].hgnc_id
    assert (await annotator.run()).state == "succeeded"
    # the successor was not imported
    await annotator.change(f"DELETE FROM genes WHERE hgnc_id = '{successor}'")
    before = await annotations(annotator, gone)
    assert len(before) > 2
    mirror.changes[COMPLETE_SET] = without(gone)
    mirror.answers[WITHDRAWN] = withdrawn(merged(gone, successor))
    for _ in range(2):
        await refreshed(annotator)
        found = await gene(annotator, gone)
        assert (found["gone"], found["successor"]) == (True, successor)
        assert await events(annotator) == [
            (successor, "imported as a successor", {}),
            (gone, "merged", {"into": [successor]}),
        ]
    new = await gene(annotator, successor)
    assert (new["symbol"], new["gone"]) == (sandbox.catalogue.genes[6].symbol, False)
    merged_ids = await annotator.rows("SELECT hgnc_id, successor FROM merged_ids")
    assert [tuple(row.values()) for row in merged_ids] == [(gone, successor)]
    async with annotator.bench.db.connect() as connection:
        (asked,) = await with_former_names(connection, [Gene(1, successor, "NEW")])
    assert asked.merged_hgnc_ids == (gone,)
    assert (await annotator.run(mode="full")).state == "succeeded"
    assert await annotations(annotator, gone) == before
    assert len(await annotations(annotator, successor)) == len(before)


@pytest.mark.parametrize("into", [(), (7, 8)], ids=["withdrawn", "split"])
async def test_a_gene_without_a_single_successor_is_not_asked_about(
    annotator: Annotator, mirror: Mirror, sandbox: Sandbox, into: tuple[int, ...]
) -> None:
    gone = sandbox.catalogue.genes[5].hgnc_id
    targets = sorted(
        (sandbox.catalogue.genes[each].hgnc_id for each in into),
        key=lambda each: int(each.removeprefix("HGNC:")),
    )
    await refreshed(annotator)
    before = await annotations(annotator, gone)
    mirror.changes[COMPLETE_SET] = without(gone)
    mirror.answers[WITHDRAWN] = withdrawn(merged(gone, *targets))
    for _ in range(2):
        await refreshed(annotator)
    found = await gene(annotator, gone)
    assert (found["gone"], found["successor"]) == (True, None)
    event = "split" if into else "withdrawn"
    assert await events(annotator) == [(gone, event, {"into": targets})]
    assert await annotations(annotator, gone) == before


async def test_a_gene_that_was_withdrawn_and_is_merged_later_gets_its_successor(
    annotator: Annotator, mirror: Mirror, sandbox: Sandbox
) -> None:
    gone, first, second = (sandbox.catalogue.genes[at].hgnc_id for at in (5, 6, 7))
    mirror.changes[COMPLETE_SET] = without(gone)
    mirror.answers[WITHDRAWN] = withdrawn(merged(gone, first))
    await refreshed(annotator)
    mirror.changes[COMPLETE_SET] = without(gone, first)
    mirror.answers[WITHDRAWN] = withdrawn(merged(gone, first), merged(first, second))
    await refreshed(annotator)
    assert (await gene(annotator, gone))["successor"] == second
    assert (await gene(annotator, first))["successor"] == second
    assert await events(annotator) == [
        (gone, "merged", {"into": [first]}),
        (gone, "merged", {"into": [second]}),
        (first, "merged", {"into": [second]}),
    ]


async def test_a_gene_that_is_approved_again_is_asked_about_again(
    annotator: Annotator, mirror: Mirror, sandbox: Sandbox
) -> None:
    gone, successor = sandbox.catalogue.genes[5].hgnc_id, sandbox.catalogue.genes[6].hgnc_id
    rows = [merged(gone, successor)]
    mirror.changes[COMPLETE_SET] = without(gone)
    mirror.answers[WITHDRAWN] = withdrawn(*rows)
    await refreshed(annotator)
    assert await annotations(annotator, gone) == []
    # HGNC's other file may still list it
    mirror.changes.clear()
    await refreshed(annotator)
    found = await gene(annotator, gone)
    assert (found["gone"], found["successor"]) == (False, None)
    assert [event for _, event, _ in await events(annotator)] == ["merged", "approved again"]
    await refreshed(annotator)
    assert [row["state"] for row in await annotations(annotator, gone)] == ["found"]
    mirror.changes[COMPLETE_SET] = without(gone)
    await refreshed(annotator)
    assert [event for _, event, _ in await events(annotator)][2:] == ["merged"]


async def genes_then(annotator: Annotator, at: datetime | None) -> dict[str, Any]:
    """Return all genes as they were at a moment, by HGNC id."""
    async with annotator.bench.db.connect() as connection:
        rows = await connection.execute(genes_at(Moment(at)).select())
        return {row["hgnc_id"]: dict(row) for row in rows.mappings()}


async def test_the_genes_of_a_past_moment_have_the_names_and_fate_of_that_moment(
    annotator: Annotator, mirror: Mirror, sandbox: Sandbox
) -> None:
    """A gene is renamed twice, another one is merged and approved again, a third one is new."""
    renamed, gone, successor = sandbox.catalogue.genes[3:6]
    states: list[tuple[datetime | None, dict[str, Any]]] = []

    async def noted() -> None:
        at = (await annotator.rows("SELECT clock_timestamp() AS at"))[0]["at"]
        states.append((at, await genes_then(annotator, None)))

    await noted()
    for name in ("FIRST", "SECOND"):
        ids = {"symbol": name, "ensembl_gene_id": f"ENSG{name}"}
        mirror.changes[COMPLETE_SET] = changed(
            lambda rows, new=ids: rows[renamed.hgnc_id].update(new)
        )
        await refreshed(annotator)
        await noted()
    mirror.changes[COMPLETE_SET] = without(gone.hgnc_id)
    mirror.answers[WITHDRAWN] = withdrawn(merged(gone.hgnc_id, successor.hgnc_id))
    await refreshed(annotator)
    await noted()
    mirror.changes.clear()
    await refreshed(annotator)
    await noted()
    await annotator.change("INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:1', 'LATER')")
    await noted()

    for at, known in states:
        assert await genes_then(annotator, at) == known
    symbols = [known[renamed.hgnc_id]["symbol"] for _, known in states]
    assert symbols == [renamed.symbol, "FIRST", "SECOND", renamed.symbol, *[renamed.symbol] * 2]
    fates = [known[gone.hgnc_id]["withdrawn_at"] is not None for _, known in states]
    assert fates == [False, False, False, True, False, False]
    assert ["HGNC:1" in known for _, known in states].count(True) == 1


@pytest.mark.parametrize(
    "list_of_withdrawn",
    [
        withdrawn(),
        b"<!doctype html><html><body>Not now</body></html>\n",
        b"",
        withdrawn("HGNC:1\tEntry Withdrawn\tX\t")[:-3],
    ],
    ids=["header only", "a web page", "empty", "cut short"],
)
async def test_an_unusable_list_of_withdrawn_genes_changes_nothing(
    annotator: Annotator, mirror: Mirror, sandbox: Sandbox, list_of_withdrawn: bytes
) -> None:
    gone, other = sandbox.catalogue.genes[5].hgnc_id, sandbox.catalogue.genes[9].hgnc_id
    mirror.changes[COMPLETE_SET] = without(gone)
    mirror.answers[WITHDRAWN] = withdrawn(merged(gone))
    await refreshed(annotator)
    mirror.changes[COMPLETE_SET] = without(gone, other)
    mirror.answers[WITHDRAWN] = list_of_withdrawn
    await refreshed(annotator)
    assert (await gene(annotator, gone))["gone"]
    assert not (await gene(annotator, other))["gone"]
    assert [event for _, event, _ in await events(annotator)] == ["withdrawn"]


async def test_single_genes_that_the_service_is_asked_about_get_their_names(
    annotator: Annotator, mirror: Mirror, sandbox: Sandbox
) -> None:
    await refreshed(annotator)
    many = await annotator.rows("SELECT hgnc_id, kind, name FROM gene_names ORDER BY 1, 2, 3")
    old = sandbox.catalogue.genes[3]
    mirror.changes[f"/fetch/hgnc_id/{old.hgnc_id}$"] = lambda body: body.replace(
        f'"{old.symbol}"'.encode(), b'"NEWNAME"'
    )
    await annotator.change(
        f"DELETE FROM annotations USING genes g WHERE g.id = gene_id AND hgnc_id = '{old.hgnc_id}'"
    )
    assert (await annotator.run("hgnc")).state == "succeeded"
    assert await events(annotator) == [
        (old.hgnc_id, "renamed", {"from": old.symbol, "to": "NEWNAME"})
    ]
    now = await annotator.rows("SELECT hgnc_id, kind, name FROM gene_names ORDER BY 1, 2, 3")
    gone = {tuple(row.values()) for row in many} - {tuple(row.values()) for row in now}
    assert gone == {(old.hgnc_id, "symbol", old.symbol)}
    assert len(now) == len(many)


async def test_a_former_symbol_is_ambiguous_if_another_gene_has_or_had_it(
    annotator: Annotator,
) -> None:
    await annotator.change(
        "INSERT INTO gene_names (hgnc_id, kind, name) VALUES ('HGNC:1', 'symbol', 'A'),"
        " ('HGNC:1', 'previous', 'OLD'), ('HGNC:1', 'previous', 'both'),"
        " ('HGNC:1', 'previous', 'TAKEN'), ('HGNC:1', 'previous', 'ONE'),"
        " ('HGNC:1', 'alias', 'AL'), ('HGNC:2', 'symbol', 'TAKEN'),"
        " ('HGNC:2', 'previous', 'BOTH'), ('HGNC:2', 'alias', 'ONE')"
    )
    genes = [Gene(1, "HGNC:1", "A"), Gene(3, "HGNC:3", "C")]
    async with annotator.bench.db.connect() as connection:
        one, other = await with_former_names(connection, genes)
    assert (one.other_symbols, one.ambiguous_symbols) == (("OLD", "ONE"), ("TAKEN", "both"))
    assert other == genes[1]


async def test_the_real_withdrawn_genes_are_written_once(
    annotator: Annotator, shared_data: Path, tmp_path: Path
) -> None:
    listed = shared_data / "hgnc/withdrawn.share.txt"
    entries = list(read_withdrawn(listed))
    targets = {
        target.hgnc_id: target.symbol
        for entry in entries
        for target in entry.merged_into or ()
        if target.status == "Approved"
    }
    complete_set = tmp_path / "hgnc_complete_set.txt"
    lines = ["\t".join(FIELDS)]
    for hgnc_id, symbol in targets.items():
        row = dict.fromkeys(FIELDS, "") | dict.fromkeys(("name", "locus_group", "locus_type"), "x")
        row |= {"hgnc_id": hgnc_id, "symbol": symbol, "status": "Approved"}
        lines.append("\t".join(row.values()))
    complete_set.write_text("\n".join(lines) + "\n")
    blocks = [block for part in read(None, complete_set, listed).parts for block in part]
    await annotator.change("DELETE FROM genes")
    async with annotator.bench.db.begin() as connection:
        await connection.execute(
            text("INSERT INTO genes (hgnc_id, symbol) VALUES (:hgnc_id, :symbol)"),
            [{"hgnc_id": each.hgnc_id, "symbol": each.symbol} for each in entries],
        )
    for _ in range(2):
        async with annotator.bench.db.begin() as connection:
            await apply(connection, blocks, run_id=None)
    count = await annotator.rows(
        "SELECT event, count(*) AS n FROM gene_events WHERE event NOT LIKE 'imported%' GROUP BY 1"
    )
    counts = {row["event"]: row["n"] for row in count}
    assert sum(counts.values()) == 546 - 5  # five lead to genes that the sample does not have
    assert counts["withdrawn"] == 199
    pointing = await annotator.rows("SELECT count(successor_id) AS n FROM genes")
    assert pointing[0]["n"] == counts["merged"]
    split = await gene(annotator, "HGNC:1871")
    assert (split["gone"], split["successor"]) == (True, None)
    assert (await gene(annotator, "HGNC:181"))["successor"] == "HGNC:620"
    assert not (await gene(annotator, "HGNC:3965"))["gone"]


async def test_a_worker_that_is_killed_while_it_writes_leaves_nothing_half_done(
    plant: Plant,
) -> None:
    plant.fill()
    plant.rows("UPDATE genes SET symbol = 'OLD' WHERE hgnc_id = 'HGNC:9008'")
    with psycopg.connect(plant.env["DATABASE_URL"]) as blocking:
        blocking.execute("LOCK TABLE gene_events")
        first = plant.worker()
        assert plant.cli("annotate", "hgnc").returncode == 0
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'gene_events'::regclass"
        await eventually(lambda: plant.rows(waiting))
        first.kill()
    writing = "SELECT 1 FROM pg_locks WHERE relation = 'gene_names'::regclass"
    await eventually(lambda: not plant.rows(writing))
    assert plant.rows("SELECT name FROM gene_names") == []
    assert plant.rows("SELECT hgnc_id FROM genes WHERE symbol = 'OLD'") == [
        {"hgnc_id": "HGNC:9008"}
    ]
    plant.worker()
    assert (await plant.ended())["state"] == "succeeded"
    renamed = plant.rows("SELECT event, detail FROM gene_events")
    assert renamed == [{"event": "renamed", "detail": {"from": "OLD", "to": "PKD1"}}]
    assert len(plant.rows("SELECT name FROM gene_names")) >= len(plant.sandbox.catalogue.genes)
