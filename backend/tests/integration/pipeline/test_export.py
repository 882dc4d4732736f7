"""Exports contain the stored answers, in every format and for every moment."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.escape import unescape
from sqlalchemy import text

from app.annotation.data import snapshots
from app.annotation.data.export.formats import FORMATS
from app.annotation.data.export.order import Column, Done
from app.annotation.data.export.planning import ExportRequest, Plan
from app.annotation.data.export.running import begin
from app.annotation.data.fields import fields_of
from app.annotation.own_tables import removal, store
from app.annotation.own_tables.reading import read_own_file
from app.annotation.sources import SOURCES
from app.core.errors import WrongUse
from tests.integration.pipeline.conftest import Annotator

Table = list[dict[str, Any]]


@pytest.fixture
def genes() -> int:
    return 30


async def exported(
    annotator: Annotator, folder: Path, **export_request: Any
) -> tuple[bytes, Plan, Done]:
    """Export into a file, and return its content."""
    file = folder / "export"
    with file.open("wb") as output:
        async with begin(
            annotator.bench.db, ExportRequest(**export_request), output=output, folder=str(folder)
        ) as (
            plan,
            export,
        ):
            done = await export.finish()
    return file.read_bytes(), plan, done


async def stored(annotator: Annotator) -> dict[tuple[str, str], Any]:
    """Return the stored answers by HGNC id and source."""
    rows = await annotator.rows(
        "SELECT g.hgnc_id, a.source, a.state, a.data, a.release, a.fetched_at"
        " FROM annotations a JOIN genes g ON g.id = a.gene_id"
    )
    return {(row["hgnc_id"], row["source"]): row for row in rows}


async def answer(annotator: Annotator, gene_id: int, source: str, **data: Any) -> None:
    """Store an answer."""
    async with annotator.bench.db.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO annotations"
                " (gene_id, source, state, data, release, fetched_at, checked_state)"
                " VALUES (:gene_id, :source, 'found', CAST(:data AS jsonb), 'July', now(), 'found')"
            ),
            {"gene_id": gene_id, "source": source, "data": json.dumps(data)},
        )


def value_at(data: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        data = None if data is None else data.get(name)
    return data


def expected(answers: dict[tuple[str, str], Any], gene: dict[str, Any]) -> dict[str, Any]:
    """Return the expected row of a gene, from the declared fields and the stored data."""
    row = dict(gene)
    for source in SOURCES:
        answer = answers.get((gene["hgnc_id"], source))
        for name in ("state", "release", "fetched_at"):
            row[f"{source}.{name}"] = None if answer is None else answer[name]
        for field in fields_of(source).values():
            row[field.name] = None if answer is None else value_at(answer["data"], field.path)
    return row


def from_tsv(data: bytes, columns: list[Column]) -> Table:
    header, *lines = data.decode().removesuffix("\n").split("\n")
    assert header.split("\t") == [column.name for column in columns]
    return [
        _typed(dict(zip(header.split("\t"), line.split("\t"), strict=True)), columns, _unescaped)
        for line in lines
    ]


def _unescaped(cell: str) -> str:
    for character, written in (("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"), ("\\", r"\\")):
        cell = cell.replace(written, character)
    return cell


def from_csv(data: bytes, columns: list[Column]) -> Table:
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    return [_typed(row, columns) for row in rows]


def _typed(
    row: dict[str, str], columns: list[Column], text: Callable[[str], str] = str
) -> dict[str, Any]:
    read: dict[str, Callable[[str], Any]] = {
        "text": lambda cell: text(cell).removeprefix("'"),
        "integer": int,
        "number": float,
        "boolean": lambda cell: {"true": True, "false": False}[cell],
        "time": datetime.fromisoformat,
        "json": json.loads,
    }
    return {
        each.name: read[each.type](row[each.name]) if row[each.name] else None for each in columns
    }


def from_jsonl(data: bytes, columns: list[Column]) -> Table:
    return [_decoded(json.loads(line), columns, ("time",)) for line in data.splitlines()]


def from_parquet(data: bytes, columns: list[Column]) -> Table:
    rows = pq.read_table(io.BytesIO(data)).to_pylist()
    return [_decoded(row, columns, ("json",)) for row in rows]


def from_xlsx(data: bytes, columns: list[Column]) -> Table:
    header, *lines = openpyxl.load_workbook(io.BytesIO(data), read_only=True)["genes"].values
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    return [_decoded(row, columns, ("time", "json", "text")) for row in rows]


def _decoded(row: dict[str, Any], columns: list[Column], types: tuple[str, ...]) -> dict[str, Any]:
    read: dict[str, Callable[[Any], Any]] = {
        "time": datetime.fromisoformat,
        "json": json.loads,
        "text": unescape,
    }
    return {
        each.name: read[each.type](row[each.name])
        if each.type in types and row[each.name] is not None
        else row[each.name]
        for each in columns
    }


READ = {
    "tsv": from_tsv,
    "csv": from_csv,
    "jsonl": from_jsonl,
    "parquet": from_parquet,
    "xlsx": from_xlsx,
}


async def genes_of(annotator: Annotator) -> list[dict[str, Any]]:
    rows = await annotator.rows(
        "SELECT hgnc_id, symbol, ensembl_gene_id, entrez_id,"
        " withdrawn_at IS NOT NULL AS withdrawn FROM genes ORDER BY id"
    )
    return [dict(row) for row in rows]


async def check_long_form(annotator: Annotator, folder: Path) -> None:
    """Check that the export has a row for each entry of a list or a map."""
    answers = await stored(annotator)
    genes = await genes_of(annotator)
    for name, formats in (
        ("panelapp.panels", list(FORMATS)),
        ("gtex.tissues_tpm", ["parquet"]),
        ("hgnc.alias_symbol", ["tsv"]),
        ("uniprot.entries", ["jsonl"]),
    ):
        source, field = name.split(".")
        wanted = []
        for gene in genes:
            answer = answers[gene["hgnc_id"], source]
            entries = (answer["data"] or {}).get(field) or []
            for entry in sorted(entries.items()) if isinstance(entries, dict) else entries:
                row = dict(gene)
                row[f"{source}.release"] = answer["release"]
                row[f"{source}.fetched_at"] = answer["fetched_at"]
                if isinstance(entry, dict):
                    row |= {f"{name}.{part}": value for part, value in entry.items()}
                elif isinstance(entry, tuple):
                    row |= {f"{name}.key": entry[0], f"{name}.value": entry[1]}
                else:
                    row[f"{name}.value"] = entry
                wanted.append(row)
        assert wanted
        for form in formats:
            data, plan, done = await exported(annotator, folder, format=form, long=name)
            assert done.rows == len(wanted)
            assert READ[form](data, plan.table.columns) == wanted


async def test_every_cell_is_what_is_stored_in_every_format_and_in_the_long_form(
    annotator: Annotator, tmp_path: Path
) -> None:
    await annotator.run(*SOURCES)
    await check_long_form(annotator, tmp_path)
    await annotator.change("DELETE FROM annotations WHERE source = 'hpo' AND gene_id = 1")
    await annotator.change(
        "UPDATE annotations SET state = 'unknown', data = NULL, release = NULL, fetched_at = NULL"
        " WHERE source = 'gnomad' AND gene_id = 2"
    )
    await annotator.change(
        """UPDATE annotations SET data = data || '{"name": "=1+1\\t\\\\"}'"""
        " WHERE source = 'hgnc' AND gene_id = 3"
    )
    await annotator.change("UPDATE genes SET withdrawn_at = now() WHERE id = 4")
    answers = await stored(annotator)
    genes = await genes_of(annotator)
    assert {each["state"] for each in answers.values()} == {"found", "absent", "unknown"}
    wanted = [expected(answers, gene) for gene in genes]
    for name in FORMATS:
        data, plan, done = await exported(annotator, tmp_path, format=name)
        assert (done.genes, done.rows, done.misfits) == (len(genes), len(genes), {})
        found = READ[name](data, plan.table.columns)
        assert len(found) == len(wanted)
        for row, want in zip(found, wanted, strict=True):
            assert list(row) == list(want)
            for column, value in want.items():
                assert row[column] == value, (name, column)


async def test_the_chosen_fields_are_columns_in_the_order_of_the_sources(
    annotator: Annotator, tmp_path: Path
) -> None:
    await answer(annotator, 1, "hgnc", locus_type="gene with protein product", name="polycystin")
    await answer(annotator, 1, "clinvar", germline={"pathogenic": 7, "benign": 2})
    await answer(annotator, 1, "gtex", tissues_tpm={"Liver": 0.5, "Lung": 3.25})
    fields = ["hgnc.locus_type", "gtex.tissues_tpm.Liver", "clinvar.germline.pathogenic"]
    data, plan, _ = await exported(annotator, tmp_path, format="jsonl", fields=fields)
    row = json.loads(data.splitlines()[0])
    assert [column.name for column in plan.table.columns if column.source] == [
        "hgnc.state", "hgnc.release", "hgnc.fetched_at", "hgnc.locus_type",
        "clinvar.state", "clinvar.release", "clinvar.fetched_at", "clinvar.germline.pathogenic",
        "gtex.state", "gtex.release", "gtex.fetched_at", "gtex.tissues_tpm.Liver",
    ]  # fmt: skip
    assert row["hgnc.locus_type"] == "gene with protein product"
    assert (row["clinvar.germline.pathogenic"], row["gtex.tissues_tpm.Liver"]) == (7, 0.5)


async def clock(annotator: Annotator) -> str:
    (row,) = await annotator.rows("SELECT clock_timestamp() AS at")
    return row["at"].isoformat()


async def test_the_export_of_a_past_moment_is_what_was_exported_then(
    annotator: Annotator, tmp_path: Path
) -> None:
    await annotator.run("hgnc", "gtex", "panelapp")
    await annotator.change(
        """UPDATE annotations SET data = data || '{"name": "former"}' WHERE source = 'hgnc'"""
    )
    export_request = {"format": "jsonl", "sources": ["hgnc", "gtex", "panelapp", "hpo"]}
    before, _, _ = await exported(annotator, tmp_path, **export_request)
    async with annotator.bench.db.begin() as connection:
        await snapshots.take(connection, "march", note=None, by="ada")
    then = await clock(annotator)
    await annotator.run("hgnc", "hpo", mode="full")
    await annotator.change("UPDATE genes SET symbol = 'RENAMED' WHERE id = 1")
    await annotator.change(
        "INSERT INTO gene_events (gene_id, event, detail) SELECT id, 'renamed',"
        " jsonb_build_object('from', (SELECT data->>'symbol' FROM annotations"
        " WHERE gene_id = 1 AND source = 'hgnc'), 'to', symbol) FROM genes WHERE id = 1"
    )
    await annotator.change("INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:999999', 'NEWCOMER')")
    now, _, _ = await exported(annotator, tmp_path, **export_request)
    assert b"NEWCOMER" in now
    assert b'"former"' not in now
    for moment, name in (({"as_of": then}, "parquet"), ({"snapshot": "march"}, "jsonl")):
        again, plan, _ = await exported(
            annotator, tmp_path, **export_request | moment | {"format": name}
        )
        rows = READ[name](again, plan.table.columns)
        for row, then_row in zip(rows, from_jsonl(before, plan.table.columns), strict=True):
            for column, value in row.items():
                if not column.endswith(".fetched_at"):
                    assert value == then_row[column], column
                elif value is not None:
                    # the time of a past answer is when its release first gave it
                    assert abs(value - then_row[column]) < timedelta(minutes=5)
    assert plan.name.startswith("kidney-genetics-march.")
    for name in ("jsonl", "parquet"):
        early = export_request | {"format": name, "as_of": "2001-01-01"}
        nothing, plan, _ = await exported(annotator, tmp_path, **early)
        assert READ[name](nothing, plan.table.columns) == []


async def test_the_rows_of_an_own_table_are_exported_even_after_its_removal(
    annotator: Annotator, tmp_path: Path
) -> None:
    (gene,) = await annotator.rows("SELECT hgnc_id FROM genes WHERE id = 2")
    table = tmp_path / "ours.tsv"
    table.write_text(f"hgnc_id\tpanel\tscore\n{gene['hgnc_id']}\t=cyst\t2.5\n")
    async with annotator.bench.db.begin() as connection:
        file = read_own_file(table, await store.known_names(connection))
        await store.add(
            connection, "ours", file, title=None, licence="our own", release="v1", by="ada"
        )
    await annotator.run("ours")
    then = await clock(annotator)
    row = {"hgnc_id": gene["hgnc_id"], "panel": "=cyst", "score": 2.5}
    data, plan, _ = await exported(annotator, tmp_path, format="parquet", sources=["ours"])
    found = from_parquet(data, plan.table.columns)
    assert [each["ours.rows"] for each in found[:3]] == [None, [row], None]
    assert [each["ours.state"] for each in found[:3]] == ["absent", "found", "absent"]
    rows = plan.table.columns[-1]
    assert (rows.licence, rows.release) == ("our own", "v1")

    async with annotator.bench.db.begin() as connection:
        await removal.remove(connection, "ours", forget=False)
    past = {"sources": ["ours"], "as_of": then}
    again, plan, _ = await exported(annotator, tmp_path, format="parquet", **past)
    rows = from_parquet(again, plan.table.columns)
    assert [each["ours.rows"] for each in rows] == [each["ours.rows"] for each in found]
    data, plan, _ = await exported(annotator, tmp_path, as_of=then, long="ours.rows")
    (entry,) = from_tsv(data, plan.table.columns)
    assert (entry["ours.rows.panel"], entry["ours.rows.score"]) == ("=cyst", 2.5)


async def test_the_long_form_has_the_columns_of_the_files_that_the_rows_came_from(
    annotator: Annotator, tmp_path: Path
) -> None:
    (gene,) = await annotator.rows("SELECT hgnc_id FROM genes WHERE id = 2")
    table = tmp_path / "ours.tsv"

    async def add(text: str) -> None:
        table.write_text(text)
        async with annotator.bench.db.begin() as connection:
            file = read_own_file(table, await store.known_names(connection))
            await store.add(
                connection, "ours", file, title=None, licence="ours", release=None, by="ada"
            )

    await add(f"hgnc_id\tscore\tn\n{gene['hgnc_id']}\t2.5\t3\n")
    await annotator.run("ours")
    # its answers are not stored yet
    await add(f"hgnc_id\tscore\tpanel\n{gene['hgnc_id']}\t> 2.5\tcysts\n")
    for moment in ({}, {"as_of": await clock(annotator)}):
        data, plan, done = await exported(annotator, tmp_path, long="ours.rows", **moment)
        (row,) = from_tsv(data, plan.table.columns)
        assert done.misfits == {}
        found = {name: row[f"ours.rows.{name}"] for name in ("score", "n", "panel")}
        assert found == {"score": "2.5", "n": 3, "panel": None}


async def test_a_list_limits_an_export(annotator: Annotator, tmp_path: Path) -> None:
    await annotator.change("INSERT INTO gene_lists (name, by) VALUES ('cysts', 'ada')")
    await annotator.change(
        "INSERT INTO gene_list_genes (list_id, hgnc_id)"
        " SELECT l.id, g.hgnc_id FROM gene_lists l, genes g WHERE g.id IN (7, 3)"
    )
    data, plan, done = await exported(annotator, tmp_path, genes="cysts", sources=["hgnc"])
    genes = await genes_of(annotator)
    assert [row["symbol"] for row in from_tsv(data, plan.table.columns)] == [
        genes[2]["symbol"], genes[6]["symbol"],
    ]  # fmt: skip
    assert (plan.total, done.rows) == (2, 2)


async def test_conditions_limit_an_export(annotator: Annotator, tmp_path: Path) -> None:
    for gene_id, pathogenic, loeuf in ((1, 0, 0.5), (2, 1, 0.5), (3, 5, 0.79), (4, 5, 0.8)):
        await answer(
            annotator,
            gene_id,
            "clinvar",
            germline={"pathogenic": pathogenic},
            review_status={"x": 1},
        )
        await answer(annotator, gene_id, "gnomad", loeuf=loeuf)
        await answer(annotator, gene_id, "hgnc", name="a gene")
    # ClinVar and HGNC are not asked about it
    await answer(annotator, 5, "gnomad", loeuf=0.1)
    conditions = [
        "clinvar.germline.pathogenic>=1",
        "gnomad.loeuf<0.8",
        "hgnc.fetched_at>=2000-01-01",
    ]
    wanted = {gene["hgnc_id"] for gene in (await genes_of(annotator))[1:3]}
    for moment in ({}, {"as_of": datetime.now().astimezone().isoformat()}):
        data, plan, _ = await exported(annotator, tmp_path, where=conditions, **moment)
        rows = from_tsv(data, plan.table.columns)
        assert {row["hgnc_id"] for row in rows} == wanted
        assert len(rows) == plan.total
    long, plan, _ = await exported(
        annotator, tmp_path, where=conditions, long="clinvar.review_status", format="jsonl"
    )
    assert {json.loads(line)["hgnc_id"] for line in long.splitlines()} == wanted
    with pytest.raises(WrongUse, match="did you mean clinvar"):
        await exported(annotator, tmp_path, where=["clinvar.germline.pathogenc>1"])


async def test_a_value_of_another_type_is_counted_and_left_empty(
    annotator: Annotator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await answer(annotator, 1, "panelapp", green="many", amber=True, red=1.5)
    for name in ("tsv", "parquet"):
        data, plan, done = await exported(annotator, tmp_path, format=name, sources=["panelapp"])
        assert done.misfits == {f"panelapp.{each}": 1 for each in ("green", "amber", "red")}
        row = READ[name](data, plan.table.columns)[0]
        assert (row["panelapp.green"], row["panelapp.amber"], row["panelapp.red"]) == (None,) * 3
    assert "1 values of panelapp.green have a wrong type" in caplog.text


async def test_a_workbook_that_would_need_too_many_rows_is_refused_before_the_work(
    annotator: Annotator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for gene_id in range(1, 5):
        await answer(annotator, gene_id, "gtex", tissues_tpm=dict.fromkeys("abcd", 1.5))
        await answer(annotator, gene_id, "panelapp", panels=[{"id": n} for n in range(4)])
    monkeypatch.setattr("app.annotation.data.export.planning.MAX_ROWS", 12)
    for name in ("gtex.tissues_tpm", "panelapp.panels"):
        with pytest.raises(WrongUse, match=r"has [\d,]+ rows, but a sheet of a workbook holds 12"):
            await exported(annotator, tmp_path, format="xlsx", long=name)
    _, _, done = await exported(annotator, tmp_path, format="tsv", long="gtex.tissues_tpm")
    assert done.rows == 16


async def test_the_dictionary_says_which_releases_and_licences_the_columns_have(
    annotator: Annotator, tmp_path: Path
) -> None:
    await answer(annotator, 1, "gtex", kidney_cortex_tpm=1.5)
    _, plan, _ = await exported(annotator, tmp_path, sources=["gtex", "hpo"])
    columns = {column.name: column for column in plan.table.columns}
    assert len(columns) == len(plan.table.columns)
    cortex = columns["gtex.kidney_cortex_tpm"]
    assert (cortex.type, cortex.unit, cortex.source) == ("number", "TPM", "gtex")
    assert cortex.licence == SOURCES["gtex"].info.licence
    assert cortex.release == "July"
    assert "Median" in cortex.definition
    assert columns["hpo.state"].licence is None
    assert "never asked" in columns["hpo.state"].definition
    assert list(msgspec.json.decode(plan.table.manifest)["sources"]) == ["gtex"]
    assert plan.table.citation.startswith("cff-version: 1.2.0")


async def test_an_export_imports_no_library_for_analyses(
    annotator: Annotator,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # with this option, Python prints its imports
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    await answer(annotator, 1, "gtex", kidney_cortex_tpm=1.5)
    await exported(annotator, tmp_path, format="parquet", sources=["gtex"])
    imported = {line.rpartition("|")[2].strip() for line in caplog.text.splitlines()}
    # for a missing package, only its own name is printed
    packages = {name.partition(".")[0] for name in imported if "." in name}
    assert "pyarrow" in packages
    assert not packages & {"pandas", "numpy", "sqlalchemy", "pydantic", "openpyxl"}
