"""The counts of a run's requests and commits."""

import math

from app.annotation.sources import SOURCES
from app.core.runs import totals
from app.core.runs.totals import SourceTotals
from tests.integration.pipeline.conftest import GENES, Annotator


async def total(annotator: Annotator, source: str) -> SourceTotals:
    async with annotator.bench.db.connect() as connection:
        return (await totals.source_totals(connection))[source]


def served(annotator: Annotator, source: str) -> int:
    """Return the number of requests that the sandbox has answered for a source."""
    found = annotator.sandbox.stats()["requests"]
    return sum(number for name, number in found.items() if name.startswith(f"{source}."))


async def test_requests_and_refusals_are_counted_with_the_run_and_in_all(
    annotator: Annotator,
) -> None:
    annotator.sandbox.fault("ensembl.lookup", "429", times=2, seconds=0)
    first = await annotator.run("ensembl")
    row = (await annotator.progress(first.id))["ensembl"]
    assert (row["state"], row["rate_limited"]) == ("succeeded", 2)
    assert row["requests"] == served(annotator, "ensembl")
    assert row["bytes_received"] > 1_000
    found = await total(annotator, "ensembl")
    assert (found.requests, found.rate_limited) == (row["requests"], 2)
    assert found.bytes_received == row["bytes_received"]
    assert found.budget_seconds == row["budget_seconds"] > 0
    # the histogram has the commits of both runs
    second = await annotator.run("ensembl", mode="full")
    both = await total(annotator, "ensembl")
    row = (await annotator.progress(second.id))["ensembl"]
    assert both.requests == found.requests + row["requests"] == served(annotator, "ensembl")
    batches = math.ceil(GENES / SOURCES["ensembl"].info.batch_size)
    assert (sum(found.commits.counts), sum(both.commits.counts)) == (batches, 2 * batches)
    assert both.commits.seconds > found.commits.seconds > 0


async def test_what_a_service_refused_before_a_run_had_to_wait_is_counted(
    annotator: Annotator,
) -> None:
    # an attempt does not wait longer than a minute
    annotator.sandbox.fault("ensembl.lookup", "429", seconds=120)
    created = await annotator.request("ensembl")
    async with annotator.working():
        run = await annotator.bench.until(created.ref.run_id, lambda r: r.waiting_for)
    row = (await annotator.progress(run.id))["ensembl"]
    assert row["done"] == 0
    assert row["rate_limited"] > 0
    assert row["requests"] == served(annotator, "ensembl")
    found = await total(annotator, "ensembl")
    assert (found.requests, found.rate_limited) == (row["requests"], row["rate_limited"])


async def test_the_requests_of_a_source_that_is_held_are_counted(annotator: Annotator) -> None:
    await annotator.run("gencc")
    before = await total(annotator, "gencc")
    annotator.sandbox.fault("gencc.submissions", "header-only")
    run = await annotator.run("gencc", mode="full")
    row = (await annotator.progress(run.id))["gencc"]
    assert row["state"] == "held"
    assert row["requests"] > 0
    assert (await total(annotator, "gencc")).requests == before.requests + row["requests"]
