"""HPO's files, which the sandbox serves behind redirects."""

from collections.abc import Callable

import pytest

from app.annotation.settings import Settings
from app.annotation.sources import SOURCES, build
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import FileSource, Source
from app.annotation.sources.connector import Connector
from app.annotation.upstream import BadAnswer
from sandbox import Sandbox

FILES = ("hpo.annotations", "hpo.genes", "hpo.ontology")


async def ask(source: Source, genes: list[Gene]) -> dict[int, Answer]:
    assert isinstance(source, FileSource)
    return {answer.gene_id: answer async for part in source.bulk(genes) for answer in part}


async def test_genes_are_found_or_absent_as_the_sandbox_has_them(
    source: Callable[[str], Source], genes: list[Gene], sandbox: Sandbox
) -> None:
    hpo = source("hpo")
    nameless = Gene(9_999, "HGNC:1", "NAMELESS")
    answers = await ask(hpo, [*genes, nameless])
    rows = sandbox.services["hpo"].files()[1]
    assert rows.path.endswith("genes_to_phenotype.txt")
    pkd1 = answers[genes[0].id]
    assert pkd1.state == "found"
    assert pkd1.data is not None
    assert "HP:0000077" in pkd1.data["organ_terms"]
    assert pkd1.data["diseases"][0]["disease"] == 'PKD1-related "Sjögren-like" disorder, type 1'
    states = [answer.state for answer in answers.values()]
    # of the genes after the 57 well-known ones, every fourth has no row
    assert (states.count("absent"), states.count("unknown")) == (23, 1)
    assert answers[nameless.id].state == "unknown"
    assert hpo.file_release.name == "2025-10-22"
    # three files, each behind two redirects
    assert hpo.requests == 9


async def test_the_release_takes_one_request_to_the_file_and_two_redirects(
    source: Callable[[str], Source],
) -> None:
    hpo = source("hpo")
    assert isinstance(hpo, FileSource)
    release = await hpo.current_file()
    assert hpo.requests == 3
    assert release.marker


async def test_the_terms_of_another_organ_make_other_answers_and_another_version(
    upstreams: Settings, connect: Connector, genes: list[Gene]
) -> None:
    eye = upstreams.model_copy(update={"hpo_organ_terms": "HP:0000478"})
    kidney, other = (
        build("hpo", settings, connect.limiter, connect.http) for settings in (upstreams, eye)
    )
    assert kidney.parser != other.parser
    answers = [(await ask(each, genes))[genes[0].id].data for each in (kidney, other)]
    assert [data["organ_roots"] for data in answers if data] == [
        ["HP:0000077", "HP:0000079"],
        ["HP:0000478"],
    ]


async def test_an_unknown_term_of_the_organ_leaves_every_gene_as_it_is(
    upstreams: Settings, connect: Connector, genes: list[Gene]
) -> None:
    settings = upstreams.model_copy(update={"hpo_organ_terms": "HP:1234567"})
    with pytest.raises(BadAnswer, match=r"hp\.json has no term HP:1234567"):
        await ask(build("hpo", settings, connect.limiter, connect.http), genes)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", ["renamed", "invalid-json"])
async def test_a_damaged_file_leaves_every_gene_as_it_is(
    source: Callable[[str], Source], genes: list[Gene], sandbox: Sandbox, file: str, kind: str
) -> None:
    sandbox.fault(file, kind)
    with pytest.raises(BadAnswer):
        await ask(source("hpo"), genes)


async def test_frequencies_that_all_became_zero_leave_every_gene_as_it_is(
    source: Callable[[str], Source], genes: list[Gene], sandbox: Sandbox
) -> None:
    sandbox.fault("hpo.genes", "zeros")
    with pytest.raises(BadAnswer, match="is not an annotation"):
        await ask(source("hpo"), genes)


async def test_a_truncated_ontology_makes_no_gene_absent(
    source: Callable[[str], Source], genes: list[Gene], sandbox: Sandbox
) -> None:
    before = await ask(source("hpo"), genes)
    sandbox.fault("hpo.ontology", "short")
    after = await ask(source("hpo"), genes)
    changed = [gene.id for gene in genes if after[gene.id] != before[gene.id]]
    assert changed
    assert {after[each].state for each in changed} == {"unknown"}


async def test_the_probe_passes(connect: Connector) -> None:
    (probe,) = SOURCES["hpo"].probes
    assert await probe.ask(connect) == "phenotype.hpoa has the expected columns"
