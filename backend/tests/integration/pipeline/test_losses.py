"""Incomplete answers of the right form do not replace the annotations."""

import gzip
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from app.annotation.genes.importing import import_genes
from app.annotation.settings import Settings
from app.annotation.sources.connector import Connector
from app.annotation.upstream import new_http_client
from app.core.errors import UserError
from app.core.redis.rate_limits import LocalRateLimiter
from app.core.runs import operations
from sandbox.server import Sandbox
from tests.integration.pipeline.conftest import Annotator
from tests.integration.pipeline.mirror import Mirror
from tests.people import ADA

COMPLETE_SET = "/hgnc-files/tsv/tsv/hgnc_complete_set.txt"
TABLE = "/clinvar/tab_delimited/variant_summary.txt.gz"
NOTHING_FOUND = b'{"response": {"numFound": 0, "start": 0, "docs": []}}'
NO_COUNT = b'{"esearchresult": {"count": "0", "retmax": "0", "retstart": "0", "idlist": []}}'
NEVER = 1_000_000


MANY = pytest.mark.parametrize("genes", [1_100], ids=["many genes"])
"""Enough genes that 2 % of them are more than the 20 that may always become absent."""


@pytest.fixture
def mirror(sandbox: Sandbox) -> Iterator[Mirror]:
    with Mirror(sandbox.url) as mirror:
        yield mirror


@pytest.fixture
def settings(settings: Settings, mirror: Mirror) -> Settings:
    values = settings.model_dump()
    for name in ("ncbi_eutils", "clinvar_files", "ensembl_rest", "hgnc_rest", "hgnc_files"):
        values[f"{name}_url"] = mirror.url + "/" + values[f"{name}_url"].rpartition("/")[2]
    return Settings(**values, _env_file=None)


def whole(sandbox: Sandbox, path: str) -> bytes:
    return httpx.get(sandbox.url + path, verify=False).content


def first_lines(number: int) -> Callable[[bytes], bytes]:
    return lambda file: b"".join(file.splitlines(keepends=True)[:number])


def half(file: bytes) -> bytes:
    lines = file.splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2])


def by(annotator: Annotator, source: str, *, file: bool) -> None:
    """Let a source be read from its file, or by API."""
    annotator.bench.settings = annotator.bench.settings.model_copy(
        update={f"{source}_bulk_threshold": 0 if file else NEVER}
    )


async def kept(annotator: Annotator, source: str) -> list[Any]:
    return await annotator.rows(
        "SELECT gene_id, state, data, release FROM annotations WHERE source = :source ORDER BY 1",
        source=source,
    )


async def turned_absent(annotator: Annotator, source: str, before: list[Any]) -> int:
    now = {row["gene_id"]: row["state"] for row in await kept(annotator, source)}
    return sum(row["state"] == "found" and now[row["gene_id"]] == "absent" for row in before)


@MANY
async def test_a_short_file_of_hgnc_changes_no_annotation(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    assert (await annotator.run("hgnc")).state == "succeeded"
    before = await kept(annotator, "hgnc")
    whole_file = whole(sandbox, COMPLETE_SET)
    for short in (first_lines(11), first_lines(1), half):
        mirror.answers["hgnc_complete_set.txt$"] = short(whole_file)
        run = await annotator.run("hgnc", mode="full")
        assert run.state == "failed"
        assert await kept(annotator, "hgnc") == before
        assert f"just accept {run.id} hgnc" in run.error
        assert (await annotator.progress(run.id))["hgnc"]["state"] == "held"
        # the service may return to the previous file, which is older than the refused one
        assert list(annotator.bench.settings.cache_dir.rglob("hgnc_complete_set.txt")) == []
    await annotator.change("DELETE FROM accepted_files")
    for short in (first_lines(1), half):
        mirror.answers["hgnc_complete_set.txt$"] = short(whole_file)
        assert (await annotator.run("hgnc", mode="full")).state == "failed"
        assert await kept(annotator, "hgnc") == before
    mirror.answers.clear()
    assert (await annotator.run("hgnc", mode="full")).state == "succeeded"


async def test_a_file_that_is_older_than_the_last_one_accepted_is_refused(
    annotator: Annotator, sandbox: Sandbox
) -> None:
    by(annotator, "hgnc", file=True)
    assert (await annotator.run("hgnc")).state == "succeeded"
    before = await kept(annotator, "hgnc")
    await annotator.change(
        "UPDATE accepted_files SET release = '9999-01-01', digest = 'of another file'"
    )
    run = await annotator.run("hgnc", mode="full")
    assert run.state == "failed"
    assert "is older than the last accepted file" in run.error
    assert await kept(annotator, "hgnc") == before


async def test_a_short_table_of_clinvar_changes_no_annotation(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror
) -> None:
    by(annotator, "clinvar", file=True)
    assert (await annotator.run("clinvar")).state == "succeeded"
    before = await kept(annotator, "clinvar")
    table = gzip.decompress(whole(sandbox, TABLE))
    for accepted, lines in ((True, 11), (True, 1), (False, 11)):
        if not accepted:
            await annotator.change("DELETE FROM accepted_files")
        mirror.answers["variant_summary.txt.gz$"] = gzip.compress(first_lines(lines)(table))
        assert (await annotator.run("clinvar", mode="full")).state == "failed"
        assert await kept(annotator, "clinvar") == before


async def test_searches_that_find_nothing_change_no_annotation(
    annotator: Annotator, mirror: Mirror
) -> None:
    by(annotator, "clinvar", file=True)
    await annotator.run("clinvar")
    by(annotator, "clinvar", file=False)
    before = await kept(annotator, "clinvar")
    mirror.answers["esearch.fcgi$"] = NO_COUNT
    run = await annotator.run("clinvar", mode="full")
    assert run.state == "failed"
    assert "gene_specific_summary.txt counts" in run.error
    assert await kept(annotator, "clinvar") == before


async def test_a_service_that_knows_no_gene_changes_no_annotation_and_is_not_asked_twice(
    annotator: Annotator, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    by(annotator, "hgnc", file=False)
    before = await kept(annotator, "hgnc")
    mirror.answers["/fetch/"] = NOTHING_FOUND
    run = await annotator.run("hgnc", mode="full")
    assert run.state == "failed"
    assert "no data for 60 of the 60 genes that were found before; at most 19" in run.error
    assert await kept(annotator, "hgnc") == before
    # each gene once, and again until too many are absent
    assert len(mirror.asked) == 60 + 20


@MANY
async def test_a_file_that_lost_its_middle_is_refused_by_the_genes_it_lost(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    before = await kept(annotator, "hgnc")
    lines = whole(sandbox, COMPLETE_SET).splitlines(keepends=True)
    # 3 %: the file itself is long enough
    mirror.answers["hgnc_complete_set.txt$"] = b"".join(lines[:500] + lines[533:])
    run = await annotator.run("hgnc", mode="full")
    assert run.state == "failed"
    assert "now has no data for 33 of the 1,100 genes" in run.error
    assert await kept(annotator, "hgnc") == before
    mirror.answers.clear()
    assert (await annotator.run("hgnc", mode="full")).state == "succeeded"


async def accepted(annotator: Annotator, run_id: int, source: str) -> Any:
    """Accept the held answers of a source, and wait for the end of the run."""
    async with annotator.bench.db.begin() as connection:
        await operations.accept(connection, run_id, source, by="Ada", note="it is right", actor=ADA)
    async with annotator.working():
        return await annotator.bench.ended(run_id)


async def test_held_answers_name_genes_and_files_and_are_stored_when_accepted(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    before = await kept(annotator, "hgnc")
    mirror.answers["hgnc_complete_set.txt$"] = half(whole(sandbox, COMPLETE_SET))
    run = await annotator.run("hgnc", mode="full")
    held = (await annotator.progress(run.id))["hgnc"]["held"]
    (file,) = held["files"]
    assert (file["rows_before"], file["rows"]) == (63, 31)
    assert file["size"] < file["size_before"] * 0.6
    assert held["genes"] == 29
    assert len(held["examples"]) == 10
    events = await annotator.rows(
        "SELECT event, detail FROM run_events WHERE run_id = :id ORDER BY id DESC LIMIT 2",
        id=run.id,
    )
    assert [row["event"] for row in events] == ["failed", "held"]
    assert events[1]["detail"] == {"source": "hgnc", **held}
    again = await accepted(annotator, run.id, "hgnc")
    assert again.state == "succeeded"
    assert await turned_absent(annotator, "hgnc", before) == 29
    # later files are compared with this one
    assert (await annotator.run("hgnc", mode="full")).state == "succeeded"


async def test_an_acceptance_counts_only_for_the_file_that_was_shown(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    before = await kept(annotator, "hgnc")
    mirror.answers["hgnc_complete_set.txt$"] = half(whole(sandbox, COMPLETE_SET))
    run = await annotator.run("hgnc", mode="full")
    mirror.answers["hgnc_complete_set.txt$"] = half(whole(sandbox, COMPLETE_SET)) + b"\n"
    again = await accepted(annotator, run.id, "hgnc")
    assert again.state == "failed"
    assert "another file was accepted" in again.error
    assert await kept(annotator, "hgnc") == before
    assert (await accepted(annotator, run.id, "hgnc")).state == "succeeded"


async def test_an_acceptance_counts_only_for_as_many_absent_genes_as_were_shown(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    by(annotator, "hgnc", file=False)
    before = await kept(annotator, "hgnc")
    gone = "|".join(gene.hgnc_id for gene in sandbox.catalogue.genes[:40])
    mirror.answers[f"/fetch/hgnc_id/({gone})$"] = NOTHING_FOUND
    run = await annotator.run("hgnc", mode="full")
    progress = (await annotator.progress(run.id))["hgnc"]
    assert (progress["state"], progress["held"]["genes"]) == ("held", 40)
    await annotator.change("UPDATE run_sources SET held = held || '{\"genes\": 30}'")
    again = await accepted(annotator, run.id, "hgnc")
    assert again.state == "failed"
    assert "30 absent genes were accepted, but 40 are absent now" in again.error
    assert await turned_absent(annotator, "hgnc", before) == 0
    assert (await accepted(annotator, run.id, "hgnc")).state == "succeeded"
    assert await turned_absent(annotator, "hgnc", before) == 40


async def test_a_held_source_does_not_stop_the_others(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    by(annotator, "clinvar", file=True)
    await annotator.run("hgnc", "clinvar")
    mirror.answers["hgnc_complete_set.txt$"] = half(whole(sandbox, COMPLETE_SET))
    run = await annotator.run("hgnc", "clinvar", mode="full")
    states = {name: row["state"] for name, row in (await annotator.progress(run.id)).items()}
    assert (run.state, states) == ("failed", {"hgnc": "held", "clinvar": "succeeded"})
    assert run.error.startswith("hgnc is held: tsv/tsv/hgnc_complete_set.txt of ")
    asked = len(mirror.asked)
    assert (await accepted(annotator, run.id, "hgnc")).state == "succeeded"
    assert len(mirror.asked) > asked


async def test_a_column_of_identifiers_that_became_empty_does_not_remove_the_identifiers(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    header, *rows = whole(sandbox, COMPLETE_SET).decode().splitlines()
    place = header.split("\t").index("entrez_id")
    emptied = [
        "\t".join("" if at == place else field for at, field in enumerate(row.split("\t")))
        for row in rows
    ]
    mirror.answers["hgnc_complete_set.txt$"] = "\n".join([header, *emptied, ""]).encode()
    run = await annotator.run("hgnc", mode="full")
    assert "no data for any gene" in run.error
    assert await annotator.rows("SELECT id FROM genes WHERE entrez_id IS NULL") == []


@pytest.mark.parametrize("column", ["symbol", "ensembl_gene_id", "entrez_id"])
async def test_a_column_of_identifiers_that_was_shifted_by_a_row_changes_no_identifier(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror, column: str
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    identifiers = "SELECT id, symbol, ensembl_gene_id, entrez_id FROM genes ORDER BY id"
    before = await annotator.rows(identifiers)
    header, *rows = [
        line.split("\t") for line in whole(sandbox, COMPLETE_SET).decode().splitlines()
    ]
    place = header.index(column)
    values = [row[place] for row in rows]
    for row, value in zip(rows, [*values[1:], values[0]], strict=True):
        row[place] = value
    shifted = "".join("\t".join(row) + "\n" for row in (header, *rows)).encode()
    mirror.answers["hgnc_complete_set.txt$"] = shifted
    run = await annotator.run("hgnc", mode="full")
    assert "the file has another symbol or identifier for" in run.error
    assert await annotator.rows(identifiers) == before


@MANY
async def test_a_first_file_must_have_as_many_genes_as_a_complete_one(annotator: Annotator) -> None:
    annotator.bench.settings = annotator.bench.settings.model_copy(
        update={"hgnc_bulk_threshold": 0, "complete_share": 1.0}
    )
    run = await annotator.run("hgnc")
    assert run.state == "failed"
    assert "data for 1,089 genes, but a complete file for at least 18,000" in run.error
    assert "COMPLETE_SHARE" in run.error
    assert await kept(annotator, "hgnc") == []
    assert (await accepted(annotator, run.id, "hgnc")).state == "succeeded"


async def test_genes_are_not_imported_from_a_list_of_hgnc_that_lost_half_of_them(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    mirror.answers["hgnc_complete_set.txt$"] = half(whole(sandbox, COMPLETE_SET))
    limiter = LocalRateLimiter(window=0)
    async with new_http_client() as http:
        connect = Connector(annotator.bench.settings, limiter, http)
        with pytest.raises(UserError, match="MAX_FILE_LOSS"):
            await import_genes("hgnc", engine=annotator.bench.db, connect=connect)


@MANY
async def test_a_list_of_genes_may_shrink(annotator: Annotator) -> None:
    by(annotator, "hgnc", file=True)
    by(annotator, "clinvar", file=True)
    await annotator.run("hgnc", "clinvar")
    await annotator.change("DELETE FROM genes WHERE id % 3 > 0")
    assert (await annotator.run("hgnc", "clinvar", mode="full")).state == "succeeded"


async def test_one_of_ten_may_turn_absent(annotator: Annotator, mirror: Mirror) -> None:
    await annotator.change("DELETE FROM genes WHERE id > 10")
    await annotator.run("hgnc")
    mirror.answers["/fetch/hgnc_id/HGNC:9008$"] = NOTHING_FOUND
    run = await annotator.run("hgnc", mode="full")
    assert run.state == "succeeded"
    assert (await annotator.progress(run.id))["hgnc"]["absent"] == 1


async def test_a_gene_with_expected_variants_and_none_received_is_unknown(
    annotator: Annotator, mirror: Mirror
) -> None:
    await annotator.change("DELETE FROM genes WHERE symbol NOT IN ('PKD1', 'PKD2')")
    mirror.answers["esearch.fcgi$"] = NO_COUNT
    run = await annotator.run("clinvar")
    assert run.state == "failed"
    row = await annotator.annotation("PKD1", "clinvar")
    assert row["checked_state"] == "unknown"
    assert "gene_specific_summary.txt counts" in row["reason"]


async def test_a_gene_that_is_really_absent_becomes_absent_after_a_second_request(
    annotator: Annotator, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    by(annotator, "hgnc", file=False)
    mirror.answers["/fetch/hgnc_id/HGNC:9008$"] = NOTHING_FOUND
    run = await annotator.run("hgnc", mode="full")
    assert run.state == "succeeded"
    gone = await annotator.annotation("PKD1", "hgnc")
    assert (gone["state"], gone["checked_state"]) == ("absent", "absent")
    assert (gone["data"], gone["reason"]) == (None, None)
    assert len(mirror.asked) == 2
    counted = (await annotator.progress(run.id))["hgnc"]
    assert (counted["found"], counted["absent"], counted["unknown"]) == (59, 1, 0)


async def test_a_gene_that_a_second_request_finds_stays_found(
    annotator: Annotator, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    by(annotator, "hgnc", file=False)
    once = {f"/fetch/hgnc_id/HGNC:{number}": NOTHING_FOUND for number in (9008, 9009)}
    mirror.answers["/fetch/"] = lambda path: once.pop(path.removeprefix("/hgnc"), None)
    run = await annotator.run("hgnc", mode="full")
    assert (run.state, once) == ("succeeded", {})
    assert (await annotator.progress(run.id))["hgnc"]["found"] == 60


async def test_a_gene_that_its_file_lost_is_asked_about_by_api(
    annotator: Annotator, sandbox: Sandbox, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    lines = whole(sandbox, COMPLETE_SET).splitlines(keepends=True)
    mirror.answers["hgnc_complete_set.txt$"] = b"".join(lines[:1] + lines[3:])
    run = await annotator.run("hgnc", mode="full")
    assert run.state == "succeeded"
    assert (await annotator.progress(run.id))["hgnc"]["found"] == 60
    releases = await annotator.rows("SELECT release, count(*) FROM annotations GROUP BY 1")
    assert {row["release"]: row["count"] for row in releases}["2025-10-31"] == 2


async def test_a_first_run_that_finds_nothing_at_a_service_is_held(
    annotator: Annotator, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=False)
    mirror.answers["/fetch/"] = NOTHING_FOUND
    run = await annotator.run("hgnc")
    progress = (await annotator.progress(run.id))["hgnc"]
    assert (progress["state"], progress["held"]["genes"]) == ("held", 60)
    assert "hgnc has no data for any of the 60 genes of its first run" in run.error
    assert await kept(annotator, "hgnc") == []
    assert (await accepted(annotator, run.id, "hgnc")).state == "succeeded"
    assert {row["state"] for row in await kept(annotator, "hgnc")} == {"absent"}


async def test_a_first_run_stores_what_is_absent_when_something_is_found(
    annotator: Annotator, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=False)
    mirror.answers[r"/fetch/hgnc_id/HGNC:[1-8]\d*$"] = NOTHING_FOUND
    run = await annotator.run("hgnc")
    assert run.state == "succeeded"
    counted = (await annotator.progress(run.id))["hgnc"]
    assert counted["absent"] >= 20
    assert counted["found"] + counted["absent"] == 60


async def test_a_gene_whose_second_answer_cannot_be_used_keeps_its_answer(
    annotator: Annotator, mirror: Mirror
) -> None:
    by(annotator, "hgnc", file=True)
    await annotator.run("hgnc")
    by(annotator, "hgnc", file=False)
    once = [NOTHING_FOUND]
    mirror.answers["/fetch/hgnc_id/HGNC:9008$"] = lambda _: once.pop() if once else b"{"
    run = await annotator.run("hgnc", mode="full")
    assert run.state == "succeeded"
    kept = await annotator.annotation("PKD1", "hgnc")
    assert (kept["state"], kept["checked_state"]) == ("found", "unknown")
    assert kept["data"]["symbol"] == "PKD1"
