"""No well-formed but wrong file changes an annotation, for any source."""

from typing import Any

import pytest

from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.annotation.sources.base import FileSource
from app.core.runs import operations
from sandbox.catalogue import Catalogue
from sandbox.faults import REWRITING
from sandbox.options import Options
from sandbox.registry import SERVICES
from sandbox.service import ServedFile, Service
from sandbox.wrong_files import can_be
from tests.integration.pipeline.conftest import Annotator
from tests.people import ADA

DISPENSABLE = {
    "clinvar.gene_specific_summary": {"renamed", "header-only"},
    "hgnc.withdrawn": REWRITING,
}
"""The faults of files that a source does without. Without ClinVar's counts, no gene is absent.
Without HGNC's list of withdrawn genes, no gene is withdrawn."""

NUMBER_OF_GENES = 40

ESSENTIAL = {"hgnc.complete_set", "clinvar.variant_summary", "gencc.submissions", "gtex.median_tpm"}
"""The files that every test run goes through."""


def read_by(service: Service, file: ServedFile) -> str | None:
    """Return the source of a service, or the one that uses the address of a file."""
    if service.name in SOURCES:
        return service.name
    addresses = {
        setting
        for setting, prefix in service.addresses.items()
        if file.path.startswith(f"/{prefix}/")
    }
    for name, source in SOURCES.items():
        settings = {host.setting.upper() for host in source.info.hosts}
        if issubclass(source, FileSource) and settings & addresses:
            return name
    return None


FILES = {
    file.name: (source, file)
    for service in (each(Catalogue(Options(genes=3))) for each in SERVICES)
    for file in service.files()
    if (source := read_by(service, file)) is not None
}


@pytest.fixture
def genes() -> int:
    return NUMBER_OF_GENES


@pytest.fixture
def settings(settings: Settings) -> Settings:
    by_file = {
        source.info.threshold_setting: 0
        for source in SOURCES.values()
        if source.info.bulk_threshold is not None
    }
    return settings.model_copy(update={**by_file, "run_max_failures": 1})


async def stored(annotator: Annotator, source: str) -> list[Any]:
    return await annotator.rows(
        "SELECT gene_id, state, data FROM annotations WHERE source = :source"
        " AND state <> 'unknown' ORDER BY 1",
        source=source,
    )


async def refresh(annotator: Annotator, source: str) -> tuple[str, str]:
    """Refresh a source with a wrong file. Return the outcome and the reason.

    An empty file counts as an outage: the run waits, and is cancelled.
    """
    created = await annotator.request(source, mode="full")
    run_id = created.ref.run_id
    async with annotator.working():
        run = await annotator.bench.until(
            run_id, lambda r: r.state in {"succeeded", "failed"} or r.waiting_for
        )
        if run.waiting_for:
            async with annotator.bench.db.begin() as connection:
                await operations.cancel(connection, run_id, actor=ADA)
            return "unavailable", run.waiting_for
    row = (await annotator.progress(run_id))[source]
    return row["state"], row["held"]["reason"] if row["held"] else run.error


def in_every_test_run(name: str) -> Any:
    """Test only some files here; the longer scenarios test the rest, with six runs each."""
    marks = [] if name in ESSENTIAL else [pytest.mark.reliability]
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [in_every_test_run(name) for name in FILES])
async def test_a_wrong_file_changes_nothing_and_the_right_one_is_read_again(
    name: str, annotator: Annotator
) -> None:
    source, file = FILES[name]
    sandbox = annotator.sandbox
    kinds = [kind for kind in sorted(REWRITING) if can_be(kind, file)]
    if "zeros" in kinds:
        sandbox.fault(name, "zeros")
        assert (await refresh(annotator, source))[0] in {"held", "failed"}
        assert await stored(annotator, source) == []
        sandbox.clear_faults()
    assert (await annotator.run(source)).state == "succeeded"
    if not sandbox.stats()["requests"].get(name):
        pytest.skip("no run reads this file")
    before = await stored(annotator, source)
    assert "found" in {row["state"] for row in before}
    for kind in (*kinds, "older"):
        sandbox.fault(name, kind)
        state, said = await refresh(annotator, source)
        sandbox.clear_faults()
        assert await stored(annotator, source) == before, kind
        if kind != "older" and kind not in DISPENSABLE.get(name, ()):
            assert state in {"held", "failed", "unavailable"}, kind
            assert file.file_name in said or source in said, kind
    assert (await annotator.run(source, mode="full")).state == "succeeded"
    assert await stored(annotator, source) == before
