"""A source that has a file and no service to ask gene by gene."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import ClassVar

import pytest

from app.annotation.sources import SOURCES
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import FileSource
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.hgnc import COMPLETE_SET, FILES, Record
from tests.integration.pipeline.conftest import GENES, Annotator


class Names(FileSource):
    """The names of the genes, without those of `gone`."""

    info = SourceInfo(
        name="names",
        title="Names",
        licence="none",
        licence_url="",
        attribution="",
        hosts=(FILES,),
        freshness=timedelta(days=1),
    )
    file = BulkFile(FILES, (COMPLETE_SET,), "app.annotation.sources.hgnc.reader:read")
    gone: ClassVar[int] = 0

    async def bulk(self, genes: Sequence[Gene]) -> AsyncGenerator[list[Answer], None]:
        asked = {gene.hgnc_id: gene for gene in genes[self.gone :]}
        async with aclosing(self.read(list(asked), of=Record)) as lists:
            async for records in lists:
                yield [
                    Answer(asked[record.hgnc_id].id, "found", {"name": record.name})
                    for record in records
                ]
        yield [Answer(gene.id, "absent") for gene in genes[: self.gone]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> type[Names]:
    monkeypatch.setitem(SOURCES, "names", Names)
    monkeypatch.setattr(Names, "gone", 0)
    return Names


async def states(annotator: Annotator) -> dict[str, int]:
    query = "SELECT state, count(*) AS genes FROM annotations WHERE source = 'names' GROUP BY state"
    return {row["state"]: row["genes"] for row in await annotator.rows(query)}


async def test_a_source_without_a_service_reads_its_file_however_few_genes_are_due(
    annotator: Annotator, names: type[Names]
) -> None:
    run = await annotator.run("names")

    assert run.state == "succeeded"
    assert await states(annotator) == {"found": GENES}
    releases = await annotator.rows("SELECT DISTINCT release FROM annotations")
    assert [row["release"] for row in releases] == ["2025-11-02"]
    await annotator.change("DELETE FROM annotations WHERE gene_id = 1")
    assert (await annotator.run("names")).state == "succeeded"
    assert await states(annotator) == {"found": GENES}


async def test_a_few_genes_that_its_file_lost_become_absent(
    annotator: Annotator, names: type[Names]
) -> None:
    await annotator.run("names")
    names.gone = 3

    assert (await annotator.run("names", mode="full")).state == "succeeded"
    assert await states(annotator) == {"found": GENES - 3, "absent": 3}


async def test_a_file_that_lost_many_genes_is_not_stored(
    annotator: Annotator, names: type[Names]
) -> None:
    await annotator.run("names")
    names.gone = 30

    assert (await annotator.run("names", mode="full")).state == "failed"
    assert await states(annotator) == {"found": GENES}
