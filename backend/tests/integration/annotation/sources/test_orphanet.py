"""Orphanet's file, served by the sandbox."""

from collections.abc import Callable

import pytest

from app.annotation.sources import SOURCES
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import FileSource, Source
from app.annotation.sources.connector import Connector
from app.annotation.upstream import BadAnswer
from sandbox import Sandbox


async def ask(source: Source, genes: list[Gene]) -> dict[int, Answer]:
    assert isinstance(source, FileSource)
    return {answer.gene_id: answer async for part in source.bulk(genes) for answer in part}


async def test_genes_are_found_or_absent_as_the_sandbox_has_them(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    orphanet = source("orphanet")
    answers = await ask(orphanet, genes)
    pkd1 = answers[genes[0].id]
    assert pkd1.data is not None
    assert pkd1.data["diseases"][0]["disease"] == "Ménière-like PKD1 <rare> disorder"
    states = [answer.state for answer in answers.values()]
    # of the genes after the 57 well-known ones, every third has no disorder
    assert (states.count("absent"), states.count("unknown")) == (31, 0)
    assert orphanet.file_release.name == "2025-10-14"
    assert orphanet.requests == 1


@pytest.mark.parametrize("kind", ["renamed", "zeros", "invalid-json"])
async def test_a_damaged_file_leaves_every_gene_as_it_is(
    source: Callable[[str], Source], genes: list[Gene], sandbox: Sandbox, kind: str
) -> None:
    sandbox.fault("orphanet.genes", kind)
    with pytest.raises(BadAnswer):
        await ask(source("orphanet"), genes)


async def test_the_probe_passes(connect: Connector) -> None:
    (probe,) = SOURCES["orphanet"].probes
    assert await probe.ask(connect) == "en_product6.xml is of 2025-10-14"
