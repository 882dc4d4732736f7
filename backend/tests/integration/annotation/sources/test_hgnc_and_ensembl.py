from collections.abc import Callable
from dataclasses import replace

import pytest

from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import Source
from app.annotation.upstream import BadAnswer
from sandbox import Sandbox

WITHDRAWN = Gene(90_001, "HGNC:990001", "SYNGONE1")
NEVER_WAS = Gene(90_002, "HGNC:987654", "NOPE")


async def in_bulk(source: Source, genes: list[Gene]) -> dict[int, Answer]:
    return {answer.gene_id: answer async for part in source.bulk(genes) for answer in part}


def by_gene(answers: list[Answer]) -> dict[int, Answer]:
    return {answer.gene_id: answer for answer in answers}


async def test_hgnc_gives_the_same_annotations_by_api_and_from_its_file(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    asked = [*genes[:40], WITHDRAWN, NEVER_WAS]
    by_api = by_gene(await source("hgnc").annotate(asked))
    # the names in the file are stored together and not with each answer
    nameless = {key: replace(answer, names=None) for key, answer in by_api.items()}
    assert await in_bulk(source("hgnc"), asked) == nameless
    assert [by_api[gene.id].state for gene in asked] == ["found"] * 40 + ["absent"] * 2
    first = by_api[genes[0].id]
    assert first.identifiers == {
        "symbol": genes[0].symbol,
        "ensembl_gene_id": genes[0].ensembl_gene_id,
        "entrez_id": genes[0].entrez_id,
    }
    assert first.data is not None
    assert first.data["hgnc_id"] == genes[0].hgnc_id
    assert isinstance(first.data["mane_select"], list)


async def test_reading_hgncs_file_takes_one_request(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    hgnc = source("hgnc")
    await in_bulk(hgnc, genes)
    assert hgnc.requests == 1
    assert hgnc.file_release.name == "2025-11-02"
    assert await source("hgnc").release() == "2025-10-31"


@pytest.mark.parametrize("kind", ["wrong-count", "invalid-json", "truncated"])
async def test_one_bad_answer_of_hgnc_leaves_one_gene_unknown(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene], kind: str
) -> None:
    bad = genes[3]
    sandbox.fault("hgnc.fetch", kind, gene=bad.symbol)
    answers = by_gene(await source("hgnc").annotate(genes[:6]))
    assert answers.pop(bad.id).state == "unknown"
    assert {answer.state for answer in answers.values()} == {"found"}


async def test_absent_genes_are_distinguished_from_genes_lost_in_the_answer(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    there = {gene.symbol: gene.at_ensembl for gene in sandbox.catalogue.genes}
    lost = next(gene for gene in genes if there[gene.symbol] and gene.ensembl_gene_id)
    by_symbol = next(gene for gene in genes if there[gene.symbol] and not gene.ensembl_gene_id)
    sandbox.fault("ensembl.lookup.id", "wrong-count", gene=lost.symbol, times=1)
    sandbox.fault("ensembl.lookup", "wrong-count", gene=by_symbol.symbol)
    ensembl = source("ensembl")
    answers = by_gene(await ensembl.annotate(genes))
    for gene in genes:
        assert answers[gene.id].state == ("found" if there[gene.symbol] else "absent")
    # requests: all ids, the lost id, all remaining symbols, the lost symbol, and each missing one
    assert ensembl.requests == 1 + 1 + 1 + 1 + list(there.values()).count(False)
    data = answers[lost.id].data
    assert data is not None
    assert data["assembly"] == "GRCh38"
    assert data["display_name"] == lost.symbol


async def test_one_bad_lookup_leaves_one_gene_unknown(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    absent = [gene for gene in sandbox.catalogue.genes if not gene.at_ensembl]
    sandbox.fault("ensembl.lookup_symbol", "500", gene=absent[0].symbol)
    answers = by_gene(await source("ensembl").annotate(genes))
    states = {gene.symbol: answers[gene.id].state for gene in genes}
    assert states[absent[0].symbol] == "unknown"
    assert list(states.values()).count("unknown") == 1


async def test_a_bad_answer_about_several_genes_is_raised(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    sandbox.fault("ensembl.lookup", "truncated")
    with pytest.raises(BadAnswer):
        await source("ensembl").annotate(genes)


async def test_a_symbol_that_leads_to_another_gene_gives_no_annotation(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    (answer,) = await source("ensembl").annotate([Gene(7, "HGNC:12345678", genes[0].symbol)])
    assert answer == Answer(7, "absent")


async def test_the_release_of_ensembl_is_its_number(source: Callable[[str], Source]) -> None:
    assert await source("ensembl").release() == "115"
