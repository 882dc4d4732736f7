"""MGI's files, served by the sandbox."""

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
    mgi = source("mgi")
    nameless = Gene(9_999, "HGNC:1", "NAMELESS")
    answers = await ask(mgi, [*genes, nameless])
    pkd1 = answers[genes[0].id]
    assert pkd1.data is not None
    assert pkd1.data["orthologs"] == [{"mgi_id": "MGI:7000000", "symbol": "Pkd1"}]
    assert pkd1.data["organ_phenotype"]
    assert pkd1.data["organ_terms"].items() >= {"MP:0003675": "kidney cyst"}.items()
    states = [answer.state for answer in answers.values()]
    # of the genes after the 57 well-known ones, every sixth has no ortholog
    assert (states.count("absent"), states.count("unknown")) == (16, 1)
    assert answers[nameless.id].state == "unknown"
    assert mgi.requests == 3


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("mgi.orthologs", "zeros"),
        ("mgi.orthologs", "invalid-json"),
        ("mgi.mutants", "invalid-json"),
        ("mgi.ontology", "invalid-json"),
        ("mgi.ontology", "renamed"),
        ("mgi.ontology", "header-only"),
    ],
)
async def test_a_damaged_file_leaves_every_gene_as_it_is(
    source: Callable[[str], Source], genes: list[Gene], sandbox: Sandbox, file: str, kind: str
) -> None:
    sandbox.fault(file, kind)
    with pytest.raises(BadAnswer):
        await ask(source("mgi"), genes)


async def test_a_truncated_ontology_makes_no_gene_absent(
    source: Callable[[str], Source], genes: list[Gene], sandbox: Sandbox
) -> None:
    before = await ask(source("mgi"), genes)
    sandbox.fault("mgi.ontology", "short")
    after = await ask(source("mgi"), genes)
    changed = [gene.id for gene in genes if after[gene.id] != before[gene.id]]
    assert changed
    assert {after[each].state for each in changed} == {"unknown"}


@pytest.mark.parametrize("file", ["mgi.orthologs", "mgi.mutants"])
async def test_either_report_can_make_a_new_release(
    source: Callable[[str], Source], sandbox: Sandbox, file: str
) -> None:
    mgi = source("mgi")
    before = (await mgi.current())["file"]
    sandbox.fault(file, "short")
    after = (await source("mgi").current())["file"]
    assert after.marker != before.marker
    assert mgi.requests == 2


async def test_the_probe_passes(connect: Connector) -> None:
    (probe,) = SOURCES["mgi"].probes
    assert await probe.ask(connect) == "HMD_HumanPhenotype.rpt has its layout"


async def test_the_probe_refuses_another_layout(connect: Connector, sandbox: Sandbox) -> None:
    (probe,) = SOURCES["mgi"].probes
    sandbox.fault("mgi.orthologs", "zeros")
    with pytest.raises(BadAnswer, match="another layout"):
        await probe.ask(connect)
