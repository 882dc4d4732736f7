"""The sources of a run are refreshed concurrently, each after those that it needs."""

from harness.timing import scaled
from tests.integration.pipeline.conftest import GENES, Annotator


async def test_a_source_that_waits_does_not_stop_the_others(annotator: Annotator) -> None:
    annotator.sandbox.fault("ensembl", "503")
    created = await annotator.request("ensembl", "clinvar")
    async with annotator.working():
        await annotator.bench.until(created.ref.run_id, lambda run: run.waiting_for is not None)
        progress = await annotator.progress(created.ref.run_id)
        assert progress["clinvar"]["state"] == "succeeded"
        assert progress["clinvar"]["done"] == GENES
        assert progress["ensembl"]["done"] == 0
        annotator.sandbox.clear_faults()
        await annotator.change("UPDATE runs SET not_before = now()")
        run = await annotator.bench.ended(created.ref.run_id)
    assert run.state == "succeeded"
    assert run.attempts == 1


async def test_a_source_that_fails_does_not_stop_the_others(annotator: Annotator) -> None:
    annotator.sandbox.fault("ensembl.lookup", "invalid-json")
    run = await annotator.run("ensembl", "hgnc", "clinvar")

    progress = await annotator.progress(run.id)
    assert {name: row["state"] for name, row in progress.items()} == {
        "hgnc": "succeeded",
        "ensembl": "failed",
        "clinvar": "succeeded",
    }
    assert run.state == "failed"
    assert "ensembl" in run.error


async def test_a_source_removed_in_this_version_does_not_stop_the_others(
    annotator: Annotator,
) -> None:
    created = await annotator.request("hgnc", "ensembl")
    await annotator.change("UPDATE run_sources SET source = 'gone' WHERE source = 'hgnc'")
    async with annotator.working():
        run = await annotator.bench.ended(created.ref.run_id)

    progress = await annotator.progress(run.id)
    assert progress["ensembl"]["state"] == "succeeded"
    assert run.state == "failed"
    assert run.error.startswith("this version has no source gone")


async def test_sources_run_at_the_same_time(annotator: Annotator) -> None:
    # neither ends before the other has begun
    for service in ("ensembl.lookup", "clinvar.esummary"):
        annotator.sandbox.fault(service, "slow", times=1, seconds=scaled(1))
    run = await annotator.run("ensembl", "clinvar")

    first, second = (await annotator.progress(run.id)).values()
    assert max(first["started_at"], second["started_at"]) < min(
        first["finished_at"], second["finished_at"]
    )


async def test_a_source_begins_after_the_one_whose_identifiers_it_needs(
    annotator: Annotator,
) -> None:
    await annotator.change("UPDATE genes SET entrez_id = NULL")
    run = await annotator.run("clinvar")

    progress = await annotator.progress(run.id)
    assert progress["hgnc"]["finished_at"] <= progress["clinvar"]["started_at"]
    assert run.state == "succeeded"


async def test_a_source_does_not_begin_while_the_identifiers_that_it_needs_cannot_be_had(
    annotator: Annotator,
) -> None:
    await annotator.change("UPDATE genes SET entrez_id = NULL")
    annotator.sandbox.fault("hgnc", "503")
    created = await annotator.request("clinvar")
    async with annotator.working():
        await annotator.bench.until(created.ref.run_id, lambda run: run.waiting_for is not None)
        progress = await annotator.progress(created.ref.run_id)
        assert progress["clinvar"]["started_at"] is None
        annotator.sandbox.clear_faults()
        await annotator.change("UPDATE runs SET not_before = now()")
        run = await annotator.bench.ended(created.ref.run_id)
    assert run.state == "succeeded"
    progress = await annotator.progress(run.id)
    assert progress["clinvar"]["done"] == GENES
