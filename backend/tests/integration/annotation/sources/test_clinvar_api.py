from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from app.annotation.refresh.batches import ask
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import Source
from app.annotation.upstream import BadAnswer, UpstreamUnavailable
from sandbox import Sandbox


def variants_of(sandbox):
    return sandbox.services["clinvar"].variants


PAGE = 500


def served_requests(sandbox: Sandbox) -> int:
    requests = sandbox.stats()["requests"]
    return sum(requests[name] for name in ("clinvar.esearch", "clinvar.esummary"))


def of(answers: Sequence[Answer], gene: Gene) -> Answer:
    (answer,) = (each for each in answers if each.gene_id == gene.id)
    return answer


async def test_every_gene_has_the_variants_that_the_service_has(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    answers = await source("clinvar").annotate(genes)
    assert len(answers) == len(genes)
    for gene, served in zip(genes, sandbox.catalogue.genes, strict=True):
        variants = sandbox.catalogue.variants_of(served)
        answer = of(answers, gene)
        assert answer.state == ("found" if variants else "absent")
        assert (answer.data or {"variants": 0})["variants"] == len(variants)
    assert {answer.state for answer in answers} == {"found", "absent"}


async def test_a_batch_costs_one_search_and_a_request_for_500_variants(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    clinvar = source("clinvar")
    await clinvar.annotate(genes)
    distinct = {
        place
        for served in sandbox.catalogue.genes
        for place in sandbox.catalogue.variants_of(served)
    }
    haplotypes = sum(
        len(variants_of(sandbox).haplotypes_of(served)) for served in sandbox.catalogue.genes
    )
    assert served_requests(sandbox) == 1 + -(-(len(distinct) + haplotypes) // PAGE)
    assert clinvar.requests == served_requests(sandbox) + 1  # and the expected counts


async def test_weights_are_the_expected_variants(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    weights = await source("clinvar").weights(genes)
    expected = [len(sandbox.catalogue.variants_of(gene)) for gene in sandbox.catalogue.genes]
    assert weights == [max(1, count) for count in expected]


async def test_without_expected_counts_all_genes_weigh_the_same(
    sandbox: Sandbox,
    source: Callable[[str], Source],
    genes: list[Gene],
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.fault("clinvar.gene_specific_summary", "500")
    assert await source("clinvar").weights(genes) == [1] * len(genes)
    assert "gene_specific_summary" in caplog.text


@pytest.mark.parametrize("kind", ["wrong-count", "uid-error"])
async def test_a_search_with_a_temporary_shortfall_is_repeated(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene], kind: str
) -> None:
    sandbox.fault("clinvar.esummary", kind, times=1)
    answers = await source("clinvar").annotate(genes)
    assert {answer.state for answer in answers} == {"found", "absent"}
    assert sandbox.stats()["requests"]["clinvar.esearch"] == 2


@pytest.mark.parametrize("kind", ["wrong-count", "uid-error"])
async def test_a_lasting_shortfall_is_a_bad_answer(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene], kind: str
) -> None:
    bad, *others = genes[:20]
    sandbox.fault("clinvar.esummary", kind, gene=bad.symbol)
    clinvar = source("clinvar")
    with pytest.raises(BadAnswer, match=r"received \d+ of \d+ variants"):
        await clinvar.annotate([bad])
    shared = set(sandbox.catalogue.variants_of(sandbox.catalogue.by_symbol[bad.symbol]))
    apart = [
        gene
        for gene in others
        if shared.isdisjoint(
            sandbox.catalogue.variants_of(sandbox.catalogue.by_symbol[gene.symbol])
        )
    ]
    answers = await clinvar.annotate(apart)
    assert {answer.state for answer in answers} <= {"found", "absent"}


async def test_a_search_that_counts_too_many_is_a_bad_answer(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    sandbox.fault("clinvar.esearch", "wrong-count")
    with pytest.raises(BadAnswer, match="received"):
        await source("clinvar").annotate(genes[:5])


async def test_an_expired_search_is_repeated(
    sandbox: Sandbox,
    source: Callable[[str], Source],
    genes: list[Gene],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clinvar = source("clinvar")
    upstream = clinvar._eutils  # type: ignore[attr-defined]
    request, forgotten = upstream.request, []

    async def forgetful(method: str, path: str, **more: object) -> object:
        if path == "esummary.fcgi" and not forgotten:
            forgotten.append(True)
            sandbox.services["clinvar"].eutils.history.clear()
        return await request(method, path, **more)

    monkeypatch.setattr(upstream, "request", forgetful)
    answers = await clinvar.annotate(genes)
    assert {answer.state for answer in answers} == {"found", "absent"}
    assert sandbox.stats()["requests"]["clinvar.esearch"] == 2


@pytest.mark.parametrize("kind", ["error-body", "html", "empty", "407"])
@pytest.mark.parametrize("endpoint", ["clinvar.esearch", "clinvar.esummary"])
async def test_a_service_that_is_down_is_not_asked_again_at_once(
    sandbox: Sandbox,
    source: Callable[[str], Source],
    genes: list[Gene],
    endpoint: str,
    kind: str,
) -> None:
    sandbox.fault(endpoint, kind)
    with pytest.raises(UpstreamUnavailable):
        await ask(source("clinvar"), genes[:10])
    assert sandbox.stats()["requests"][endpoint] == 1


@pytest.mark.parametrize("endpoint", ["clinvar.esearch", "clinvar.esummary"])
async def test_a_compressed_bomb_from_ncbi_is_refused(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene], endpoint: str
) -> None:
    sandbox.fault(endpoint, "bomb")
    with pytest.raises(BadAnswer, match="gzip, gzip, gzip"):
        await source("clinvar").annotate(genes[:1])


@pytest.mark.parametrize("kind", ["truncated", "invalid-json"])
@pytest.mark.parametrize("endpoint", ["clinvar.esearch", "clinvar.esummary"])
async def test_a_request_is_repeated_after_one_unusable_body(
    sandbox: Sandbox,
    source: Callable[[str], Source],
    genes: list[Gene],
    endpoint: str,
    kind: str,
) -> None:
    sandbox.fault(endpoint, kind, times=1)
    answers = await source("clinvar").annotate(genes[:10])
    assert "unknown" not in {answer.state for answer in answers}


async def test_a_summary_with_a_raw_newline_is_read(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    sandbox.fault("clinvar.esummary", "raw-newline")
    answers = await source("clinvar").annotate(genes[:10])
    assert "unknown" not in {answer.state for answer in answers}


async def test_a_gene_that_has_another_symbol_in_clinvar_is_found_by_its_id(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    clinvar = source("clinvar")
    (before,) = await clinvar.annotate(genes[:1])
    (renamed,) = await clinvar.annotate([replace(genes[0], symbol="NEWNAME")])
    assert before.state == "found"
    assert renamed == before


async def test_a_gene_whose_symbol_is_that_of_another_id_is_unknown(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    (answer,) = await source("clinvar").annotate([replace(genes[0], entrez_id="999999999")])
    assert answer.state == "unknown"
    assert f"ClinVar calls another gene '{genes[0].symbol}'" in (answer.reason or "")


async def test_without_expected_counts_no_gene_is_absent(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    with_counts = await source("clinvar").annotate(genes)
    sandbox.fault("clinvar.gene_specific_summary", "500")
    without = {answer.gene_id: answer for answer in await source("clinvar").annotate(genes)}
    states = {"found": "found", "absent": "unknown"}
    assert {each.gene_id: states[each.state] for each in with_counts} == {
        gene_id: answer.state for gene_id, answer in without.items()
    }
    reasons = {answer.reason for answer in without.values() if answer.state == "unknown"}
    assert reasons == {
        "ClinVar may use another symbol, but gene_specific_summary.txt could not be read"
    }


async def test_a_symbol_that_cannot_be_searched_for_is_unknown(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    odd = Gene(99_999, "HGNC:0", 'X"[gene] OR "PKD1')
    answers = await source("clinvar").annotate([odd, genes[0]])
    assert of(answers, odd).state == "unknown"
    assert of(answers, genes[0]).state == "found"


async def test_a_gene_whose_symbol_finds_nothing_is_absent(source: Callable[[str], Source]) -> None:
    (answer,) = await source("clinvar").annotate([Gene(1, "HGNC:0", "A-GAMMA3'E")])
    assert answer == Answer(1, "absent")


async def test_the_release_is_the_day_of_the_last_update(source: Callable[[str], Source]) -> None:
    assert await source("clinvar").release() == "2025-11-02"
