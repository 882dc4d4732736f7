"""The requests of a smart run, with and without a new release of the source."""

from collections.abc import Sequence

import pytest

from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.ensembl import Ensembl
from tests.integration.pipeline.conftest import GENES, Annotator


async def let_time_pass(annotator: Annotator) -> None:
    """Move all answers, and the genes, two years back."""
    await annotator.change("UPDATE annotations SET checked_at = now() - interval '2 years'")
    await annotator.change("UPDATE genes SET updated_at = now() - interval '3 years'")


async def done(annotator: Annotator, source: str) -> tuple[int, int, int]:
    """Run a source. Return the genes asked about, the confirmed genes, and the requests."""
    annotator.sandbox.reset()
    run = await annotator.run(source)
    assert run.state == "succeeded"
    row = (await annotator.progress(run.id))[source]
    return row["done"] - row["confirmed"], row["confirmed"], row["requests"]


@pytest.mark.parametrize("source", ["hgnc", "ensembl", "clinvar"])
async def test_a_run_over_an_unchanged_source_asks_for_its_release_only(
    annotator: Annotator, source: str
) -> None:
    await annotator.run(source)

    asked, confirmed, requests = await done(annotator, source)
    assert (asked, confirmed) == (0, 0)
    assert 1 <= requests <= 2


@pytest.mark.parametrize("source", ["hgnc", "ensembl"])
async def test_stale_answers_of_the_current_release_are_kept_without_being_fetched(
    annotator: Annotator, source: str
) -> None:
    await annotator.run(source)
    fetched = "SELECT max(fetched_at) AS at FROM annotations"
    before = await annotator.rows(fetched)
    await let_time_pass(annotator)

    asked, confirmed, requests = await done(annotator, source)
    assert (asked, confirmed) == (0, GENES)
    assert requests <= 2
    assert await annotator.rows(fetched) == before
    fresh = "SELECT count(*) AS n FROM annotations WHERE checked_at > now() - interval '1 hour'"
    assert (await annotator.rows(fresh))[0]["n"] == GENES
    assert await done(annotator, source) == (0, 0, requests)


async def test_fresh_answers_of_an_older_release_are_due(annotator: Annotator) -> None:
    await annotator.run("hgnc")
    await annotator.change("UPDATE origins SET marker = 'a former one'")

    asked, confirmed, _ = await done(annotator, "hgnc")
    assert (asked, confirmed) == (GENES, 0)


async def test_answers_that_another_version_of_the_source_made_are_due(
    annotator: Annotator,
) -> None:
    await annotator.run("hgnc")
    await annotator.change("UPDATE origins SET parser = 'a former one'")

    asked, _, _ = await done(annotator, "hgnc")
    assert asked == GENES


async def test_freshness_decides_while_the_release_is_not_known(annotator: Annotator) -> None:
    await annotator.run("ensembl")
    annotator.sandbox.fault("ensembl.info", "invalid-json")
    run = await annotator.run("ensembl")
    assert (await annotator.progress(run.id))["ensembl"]["done"] == 0

    await let_time_pass(annotator)
    run = await annotator.run("ensembl")
    row = (await annotator.progress(run.id))["ensembl"]
    assert (row["done"], row["confirmed"]) == (GENES, 0)


async def test_the_current_release_of_a_source_is_stored_with_its_address(
    annotator: Annotator,
) -> None:
    await annotator.run("hgnc")

    rows = await annotator.rows('SELECT * FROM source_releases ORDER BY "of"')
    file, service = rows
    assert (file["source"], file["of"], file["release"]) == ("hgnc", "file", "2025-11-02")
    assert file["address"].endswith("/hgnc-files/tsv/tsv/hgnc_complete_set.txt")
    assert (service["of"], service["release"]) == ("service", "2025-10-31")
    assert service["address"].endswith("/hgnc")


async def test_an_answer_names_its_file_its_digest_and_its_release(annotator: Annotator) -> None:
    await annotator.run("hgnc")

    (origin,) = await annotator.rows(
        "SELECT DISTINCT o.* FROM annotations a JOIN origins o ON o.id = a.origin_id"
        " WHERE a.source = 'hgnc'"
    )
    assert (origin["release"], origin["parser"]) == ("2025-11-02", "1")
    (file,) = origin["files"]
    assert file["address"].endswith("/hgnc-files/tsv/tsv/hgnc_complete_set.txt")
    digests = await annotator.rows("SELECT digest FROM accepted_files WHERE source = 'hgnc'")
    assert file["sha256"] == digests[0]["digest"]


async def test_an_unknown_answer_keeps_the_origin_of_the_last_good_one(
    annotator: Annotator,
) -> None:
    await annotator.run("ensembl")
    before = await annotator.annotation("PKD1", "ensembl")
    await annotator.change("UPDATE origins SET marker = 'a former one', release = 'former'")
    annotator.sandbox.fault("ensembl.lookup", "invalid-json", gene="PKD1")
    await annotator.run("ensembl")
    after = await annotator.annotation("PKD1", "ensembl")
    assert after["checked_state"] == "unknown"
    assert after["origin_id"] == before["origin_id"]
    assert after["checked_origin_id"] != before["origin_id"]


async def test_a_gene_whose_identifiers_changed_is_due(annotator: Annotator) -> None:
    await annotator.run("ensembl")
    await annotator.change("UPDATE genes SET updated_at = now() WHERE symbol = 'PKD1'")

    assert (await done(annotator, "ensembl"))[0] == 1
    assert (await done(annotator, "ensembl"))[0] == 0


async def test_unknown_answers_of_a_file_are_not_due_while_the_file_is_unchanged(
    annotator: Annotator,
) -> None:
    await annotator.change("UPDATE genes SET ensembl_gene_id = NULL WHERE symbol = 'PKD1'")
    await annotator.change(
        "INSERT INTO annotations (gene_id, source, state, checked_state)"
        " SELECT id, 'hgnc', 'absent', 'absent' FROM genes"
    )
    await annotator.run("gnomad")
    assert (await annotator.annotation("PKD1", "gnomad"))["state"] == "unknown"

    assert (await done(annotator, "gnomad"))[0] == 0
    await annotator.change(
        "UPDATE genes SET ensembl_gene_id = 'ENSG00000008710', updated_at = now()"
        " WHERE symbol = 'PKD1'"
    )
    assert (await done(annotator, "gnomad"))[0] == 1
    assert (await annotator.annotation("PKD1", "gnomad"))["state"] == "found"


async def test_a_gene_whose_identifiers_change_while_it_is_asked_about_stays_due(
    annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate = Ensembl.annotate

    async def after_a_change(source: Ensembl, genes: Sequence[Gene]) -> list[Answer]:
        await annotator.change("UPDATE genes SET updated_at = now() WHERE symbol = 'PKD1'")
        return await annotate(source, genes)

    monkeypatch.setattr(Ensembl, "annotate", after_a_change)
    await annotator.run("ensembl")
    monkeypatch.undo()

    assert (await done(annotator, "ensembl"))[0] == 1
    assert (await done(annotator, "ensembl"))[0] == 0
