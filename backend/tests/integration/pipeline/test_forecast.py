"""Forecasts of runs."""

from app.annotation.overview.sources import sources_overview
from app.annotation.refresh.forecast import Forecast, forecast, forecast_request
from app.annotation.sources.connector import Connector
from app.annotation.upstream import new_http_client
from app.core.redis.rate_limits import LocalRateLimiter
from app.core.runs.request import RunRequest
from tests.integration.pipeline.conftest import GENES, Annotator


async def of(
    annotator: Annotator, *names: str, full: bool = False, genes: list[str] | None = None
) -> dict[str, Forecast]:
    settings = annotator.bench.settings
    async with new_http_client(settings.upstream_timeout) as http:
        connect = Connector(settings, LocalRateLimiter(window=0), http)
        found = await forecast(annotator.bench.db, connect, names, full=full, genes=genes)
    return {each.source: each for each in found}


async def test_a_first_run_would_ask_about_all_genes(annotator: Annotator) -> None:
    found = await of(annotator, "hgnc", "ensembl")

    assert found["hgnc"].model_dump() == {
        "source": "hgnc",
        "current": "2025-11-02",
        "stored": None,
        "due": GENES,
        "reads_file": True,
        "requests": 3,  # two for the releases, and the file
        "seconds": None,
    }
    assert (found["ensembl"].due, found["ensembl"].reads_file) == (GENES, False)
    assert await annotator.rows("SELECT * FROM runs") == []


async def test_a_forecast_takes_the_slots_of_its_requests_from_the_budgets(
    annotator: Annotator,
) -> None:
    taken: list[str] = []

    class Counted(LocalRateLimiter):
        async def acquire(self, budget: str, rate: float) -> None:
            taken.append(budget)

    request = RunRequest.of(["ensembl"], "smart")
    limiter = Counted(window=0)
    db, settings = annotator.bench.db, annotator.settings
    (found,) = await forecast_request(db, settings, request, limiter)

    # a retry takes another slot
    assert set(taken) == {"ensembl"}
    assert found.current == "115"


async def test_nothing_is_due_while_the_releases_are_the_same(annotator: Annotator) -> None:
    await annotator.run("ensembl")
    found = (await of(annotator, "ensembl"))["ensembl"]

    assert (found.due, found.requests, found.seconds) == (0, 1, 0.0)
    assert found.stored == found.current == "115"


async def test_a_release_has_one_name_even_if_the_file_names_it_differently_from_its_date(
    annotator: Annotator,
) -> None:
    await annotator.run("orphanet")
    found = (await of(annotator, "orphanet"))["orphanet"]

    assert found.due == 0
    assert found.stored == found.current == "2025-10-14"
    async with annotator.bench.db.connect() as connection:
        overview = await sources_overview(connection, annotator.settings)
    orphanet = next(each for each in overview if each.name == "orphanet")
    assert [each.release for each in orphanet.current] == ["2025-11-02"]
    assert [(each.release, each.is_current) for each in orphanet.stored] == [("2025-10-14", True)]
    assert orphanet.due == 0

    await annotator.change("UPDATE source_releases SET marker = 'that of a newer file'")
    async with annotator.bench.db.connect() as connection:
        overview = await sources_overview(connection, annotator.settings)
    orphanet = next(each for each in overview if each.name == "orphanet")
    assert [each.is_current for each in orphanet.stored] == [False]
    assert orphanet.due == orphanet.found + orphanet.absent > 0


async def test_the_expected_time_comes_from_the_last_run(annotator: Annotator) -> None:
    await annotator.run("ensembl")
    await annotator.change(
        "UPDATE run_sources SET finished_at = attempt_started_at + interval '120 s'"
    )
    full = (await of(annotator, "ensembl", full=True))["ensembl"]
    one = (await of(annotator, "ensembl", full=True, genes=["HGNC:9008"]))["ensembl"]

    assert (full.due, full.seconds) == (GENES, 120.0)
    assert (one.due, one.seconds) == (1, 120 / GENES)


async def test_a_release_that_cannot_be_asked_is_not_known(annotator: Annotator) -> None:
    annotator.sandbox.fault("ensembl.info", "invalid-json")

    assert (await of(annotator, "ensembl"))["ensembl"].current is None
