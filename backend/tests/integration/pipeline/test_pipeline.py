"""Runs against the sandbox and a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources.clinvar import germline
from app.core.errors import WrongUse
from app.core.runs import operations
from app.core.runs.attempt import Attempt
from tests.integration.pipeline.conftest import GENES, Annotator
from tests.people import ADA


async def test_every_gene_gets_an_answer_from_every_source(annotator: Annotator) -> None:
    run = await annotator.run()
    assert run.state == "succeeded"
    progress = await annotator.progress(run.id)
    assert list(progress) == annotator.enabled
    for row in progress.values():
        assert (row["state"], row["total"], row["done"]) == ("succeeded", GENES, GENES)
        assert row["found"] + row["absent"] == GENES
        assert row["requests"] > 0
        assert row["weight_done"] == row["weight_total"] >= GENES
    kept = await annotator.rows("SELECT DISTINCT source, release IS NULL AS none FROM annotations")
    assert not any(row["none"] for row in kept)


async def test_a_smart_run_asks_only_for_what_is_missing_unknown_or_stale(
    annotator: Annotator,
) -> None:
    await annotator.run("ensembl")
    again = await annotator.run("ensembl")
    assert (await annotator.progress(again.id))["ensembl"]["total"] == 0
    async with annotator.bench.db.begin() as connection:
        await connection.execute(
            text(
                "UPDATE annotations SET checked_origin_id = NULL,"
                " checked_at = now() - interval '2 years'"
                " WHERE gene_id IN (SELECT id FROM genes ORDER BY id LIMIT 7)"
            )
        )
        await connection.execute(
            text(
                "DELETE FROM annotations WHERE gene_id IN"
                " (SELECT id FROM genes ORDER BY id DESC LIMIT 5)"
            )
        )
    third = await annotator.run("ensembl")
    assert (await annotator.progress(third.id))["ensembl"]["done"] == 12
    full = await annotator.run("ensembl", mode="full")
    assert (await annotator.progress(full.id))["ensembl"]["done"] == GENES


async def test_a_commit_whose_acknowledgement_was_lost_counts_once_and_is_not_repeated(
    annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = []
    committed = Attempt.transaction

    @asynccontextmanager
    async def transaction(self: Attempt, *, progress: bool) -> AsyncIterator[AsyncConnection]:
        async with committed(self, progress=progress) as connection:
            yield connection
            written = await connection.execute(text("SELECT count(*) FROM annotations"))
        if not lost and written.scalar_one():
            lost.append(self.ref.epoch)
            raise OperationalError("COMMIT", {}, Exception("server closed the connection"))

    monkeypatch.setattr(Attempt, "transaction", transaction)
    run = await annotator.run("ensembl")
    assert (run.state, run.attempts, lost) == ("succeeded", 1, [1])
    ensembl = (await annotator.progress(run.id))["ensembl"]
    assert (ensembl["total"], ensembl["done"]) == (GENES, GENES)
    assert ensembl["found"] + ensembl["absent"] + ensembl["unknown"] == GENES
    asked = annotator.sandbox.stats()["genes"]
    assert not any(each["repeats"] for name, each in asked.items() if "ensembl" in name)


async def test_one_gene_with_a_bad_answer_is_unknown_and_the_rest_are_found(
    annotator: Annotator,
) -> None:
    annotator.sandbox.fault("clinvar.esearch", "invalid-json", gene="PKD1")
    run = await annotator.run("clinvar")
    assert run.state == "succeeded"
    progress = (await annotator.progress(run.id))["clinvar"]
    assert (progress["done"], progress["unknown"]) == (GENES, 1)
    row = await annotator.annotation("PKD1", "clinvar")
    assert (row["state"], row["checked_state"], row["data"]) == ("unknown", "unknown", None)
    assert row["reason"]


async def test_a_refresh_that_cannot_find_out_keeps_the_last_good_answer(
    annotator: Annotator,
) -> None:
    await annotator.run("clinvar")
    before = await annotator.annotation("PKD1", "clinvar")
    annotator.sandbox.fault("clinvar.esearch", "invalid-json", gene="PKD1")
    run = await annotator.run("clinvar", mode="full")
    after = await annotator.annotation("PKD1", "clinvar")
    kept = ("state", "data", "release", "fetched_at")
    assert [after[key] for key in kept] == [before[key] for key in kept]
    assert (after["checked_state"], after["checked_run_id"]) == ("unknown", run.id)
    annotator.sandbox.clear_faults()
    again = await annotator.run("clinvar")
    assert (await annotator.progress(again.id))["clinvar"]["done"] == 1
    assert (await annotator.annotation("PKD1", "clinvar"))["checked_state"] == "found"


async def test_a_run_fails_when_a_source_got_nothing_but_unknowns_and_retry_asks_again(
    annotator: Annotator,
) -> None:
    async with annotator.bench.db.begin() as connection:
        await connection.execute(text("DELETE FROM genes WHERE symbol NOT IN ('PKD1', 'UMOD')"))
    annotator.sandbox.fault("clinvar.esearch", "invalid-json")
    run = await annotator.run("clinvar")
    assert run.state == "failed"
    assert "nothing but unknowns from clinvar" in run.error
    annotator.sandbox.clear_faults()
    async with annotator.bench.db.begin() as connection:
        await operations.retry(connection, run.id, actor=ADA)
    async with annotator.working():
        run = await annotator.bench.ended(run.id)
    assert run.state == "succeeded"
    progress = (await annotator.progress(run.id))["clinvar"]
    assert (progress["found"], progress["unknown"]) == (2, 0)


async def test_a_service_whose_answers_are_all_unusable_fails_the_attempt(
    annotator: Annotator,
) -> None:
    annotator.sandbox.fault("clinvar.esearch", "invalid-json")
    created = await annotator.request("clinvar")
    async with annotator.working():
        run = await annotator.bench.until(created.ref.run_id, lambda r: r.attempts > 1)
    assert run.error
    assert (await annotator.progress(run.id))["clinvar"]["done"] == 0


@pytest.mark.parametrize(
    ("source", "endpoint"), [("clinvar", "clinvar.esearch"), ("hgnc", "hgnc.complete_set")]
)
async def test_a_run_waits_for_a_service_that_is_down_with_status_200(
    annotator: Annotator, source: str, endpoint: str
) -> None:
    for kind in ("html", "error-body", "empty", "407"):
        before = annotator.sandbox.stats()["requests"].get(endpoint, 0)
        annotator.sandbox.fault(endpoint, kind)
        run_id = (await annotator.request(source, mode="full")).ref.run_id
        async with annotator.working():
            run = await annotator.bench.until(run_id, lambda r: r.waiting_for is not None)
            assert (run.state, run.attempts) == ("queued", 1)
            assert run.waiting_for in {"ncbi", "hgnc-files"}
            # a batch each
            assert annotator.sandbox.stats()["requests"][endpoint] - before <= 3
            annotator.sandbox.clear_faults()
            await annotator.change("UPDATE runs SET not_before = NULL")
            run = await annotator.bench.ended(run_id)
        assert (run.state, run.attempts) == ("succeeded", 1)
        assert (await annotator.progress(run_id))[source]["unknown"] == 0


async def test_a_file_that_is_cut_off_without_a_length_changes_no_annotation(
    annotator: Annotator,
) -> None:
    query = "SELECT gene_id, state, data FROM annotations WHERE source = 'hgnc' ORDER BY 1"
    await annotator.run("hgnc")
    before = await annotator.rows(query)
    annotator.sandbox.fault("hgnc.complete_set", "no-length")
    created = await annotator.request("hgnc", mode="full")
    async with annotator.working():
        run = await annotator.bench.until(created.ref.run_id, lambda r: r.attempts > 1)
    assert "does not state the length of the file" in run.error
    assert await annotator.rows(query) == before


async def test_a_file_older_than_the_one_in_use_is_not_read(annotator: Annotator) -> None:
    query = "SELECT gene_id, state, data, release FROM annotations ORDER BY 1"
    await annotator.run("hgnc")
    before = await annotator.rows(query)
    annotator.sandbox.fault("hgnc.complete_set", "older")
    run = await annotator.run("hgnc", mode="full")
    assert run.state == "succeeded"
    # its headers, and the file
    assert annotator.sandbox.faults()[0]["fired"] == 2
    assert await annotator.rows(query) == before


async def test_an_answer_dated_in_the_future_is_refreshed(annotator: Annotator) -> None:
    await annotator.run("ensembl")
    assert (await annotator.progress((await annotator.run("ensembl")).id))["ensembl"]["done"] == 0
    await annotator.change("UPDATE annotations SET checked_at = now() + interval '1 day'")
    for done in (GENES, 0):
        run = await annotator.run("ensembl")
        assert (await annotator.progress(run.id))["ensembl"]["done"] == done


async def test_a_needed_source_is_added_only_while_identifiers_are_missing(
    annotator: Annotator,
) -> None:
    async with annotator.bench.db.begin() as connection:
        await connection.execute(text("UPDATE genes SET entrez_id = NULL WHERE symbol = 'PKD1'"))
    run = await annotator.run("clinvar", mode="full")
    assert list(await annotator.progress(run.id)) == ["hgnc", "clinvar"]
    assert run.sources == ["clinvar"]
    known = await annotator.rows("SELECT entrez_id FROM genes WHERE symbol = 'PKD1'")
    assert known[0]["entrez_id"]
    again = await annotator.run("clinvar", mode="full")
    assert list(await annotator.progress(again.id)) == ["clinvar"]


async def test_unknown_terms_are_recorded_once_for_each_run_with_their_count(
    annotator: Annotator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def forget() -> None:
        for each in (germline.germline_class, germline.is_known):
            each.cache_clear()

    known = await annotator.run("clinvar")
    monkeypatch.delitem(germline._TERMS, "likely benign")
    forget()
    caplog.clear()

    run = await annotator.run("clinvar", mode="full")

    monkeypatch.undo()
    forget()
    events = "SELECT detail FROM run_events WHERE run_id = :id AND event = 'unknown terms'"
    assert await annotator.rows(events, id=known.id) == []
    ((detail,),) = [tuple(row.values()) for row in await annotator.rows(events, id=run.id)]
    assert detail["source"] == "clinvar"
    assert {"Likely benign", "Benign/Likely benign"} <= set(detail["terms"])
    counted = await annotator.rows(
        "SELECT sum(value::int) AS variants"
        " FROM annotations, jsonb_each_text(data -> 'unknown_terms')"
        " WHERE source = 'clinvar' AND key = 'Likely benign'"
    )
    assert detail["terms"]["Likely benign"] == counted[0]["variants"] > 0
    told = [each for each in caplog.messages if "'Likely benign'" in each]
    assert len(told) == 1
    assert f"'Likely benign' ({counted[0]['variants']:,})" in told[0]


async def test_clinvar_gives_the_same_annotations_by_api_and_from_its_file(
    annotator: Annotator,
) -> None:
    query = "SELECT gene_id, state, data FROM annotations WHERE source = 'clinvar' ORDER BY 1"
    await annotator.run("clinvar")
    by_api = await annotator.rows(query)
    annotator.bench.settings = annotator.bench.settings.model_copy(
        update={"clinvar_bulk_threshold": 0}
    )
    await annotator.run("clinvar", mode="full")
    assert await annotator.rows(query) == by_api
    # its headers twice, and the file once
    assert annotator.sandbox.stats()["requests"]["clinvar.variant_summary"] == 3


async def test_resume_reopens_the_latest_failed_run_instead_of_creating_one(
    annotator: Annotator,
) -> None:
    created = await annotator.request("ensembl")
    async with annotator.bench.db.begin() as connection:
        await operations.cancel(connection, created.ref.run_id, actor=ADA)
    resumed = await annotator.run("ensembl", resume=True)
    assert (resumed.id, resumed.state) == (created.ref.run_id, "succeeded")
    fresh = await annotator.run("ensembl", resume=True)
    assert fresh.id != created.ref.run_id


async def test_requests_to_resume_at_the_same_time_get_the_same_run(annotator: Annotator) -> None:
    created = await annotator.request("ensembl")
    async with annotator.bench.db.begin() as connection:
        await operations.cancel(connection, created.ref.run_id, actor=ADA)
    found = await asyncio.gather(*(annotator.request("ensembl", resume=True) for _ in range(5)))
    assert {each.ref.run_id for each in found} == {created.ref.run_id}


async def test_an_invalid_request_is_refused_and_the_error_says_what_is_allowed(
    annotator: Annotator,
) -> None:
    with pytest.raises(WrongUse, match="did you mean clinvar"):
        await annotator.request("clinvra")
    with pytest.raises(WrongUse, match="unknown mode"):
        await annotator.request("clinvar", mode="fast")
    async with annotator.bench.db.begin() as connection:
        await connection.execute(text("DELETE FROM genes"))
    with pytest.raises(WrongUse, match="no genes"):
        await annotator.request("clinvar")
