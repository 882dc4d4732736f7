import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.annotation.sources.clinvar.attribution import (
    MAX_GENES,
    GeneIndex,
    RequestedGene,
    split_symbols,
)
from app.annotation.sources.clinvar.search import search_term, searchable


def test_the_id_decides_before_the_symbol() -> None:
    index = GeneIndex(
        [RequestedGene("1", ("A",)), RequestedGene("2", ("B",)), RequestedGene(None, ("C",))]
    )
    assert index.find("2", "A") == 1
    assert index.find("", "A") == index.find("-1", "A") == 0
    assert index.find("", "C") == 2
    assert index.find("99", "X") is None


def test_a_symbol_never_beats_an_id_that_contradicts_it() -> None:
    index = GeneIndex([RequestedGene("1", ("A",)), RequestedGene(None, ("C",))])
    assert index.find("99", "A") is None
    assert index.find_in_row("99", "A") == ([], True)
    # this gene has no known id that could contradict
    assert index.find("99", "C") == 1


def test_symbols_are_corrected_to_those_that_clinvar_uses() -> None:
    index = GeneIndex(
        [RequestedGene("1", ("A",)), RequestedGene("2", ("B",)), RequestedGene("3", ("C",))]
    )
    assert (index.find("1", "A"), index.find("7", "X")) == (0, None)
    assert index.corrected() is None
    # ClinVar calls the second gene A, and so not the first
    assert index.find("2", "A") == 1
    assert index.corrected() == [
        RequestedGene("1", ()),
        RequestedGene("2", ("B", "A")),
        RequestedGene("3", ("C",)),
    ]


def test_clinvars_symbol_comes_before_another_genes_approved_one() -> None:
    index = GeneIndex([RequestedGene("1", ("OTHER", "A")), RequestedGene("2", ("A",))])
    assert index.find("-1", "A") == 1


@pytest.mark.parametrize(
    ("text", "symbols", "several"),
    [
        ("PKD1", ["PKD1"], False),
        ("PKD1;TSC2", ["PKD1", "TSC2"], True),
        ("PKD1;PKD1", ["PKD1"], False),
        (" PKD1 ; TSC2 ", ["PKD1", "TSC2"], True),
        ("subset of 145 genes: MAGEL2:SNURF:UBE3A", [], True),
        ("subset of 102 genes: PRRT2", [], True),
        ("covers 10 genes, none of which curated to show dosage sensitivity", [], True),
        ("HHC2:065915", ["HHC2:065915"], False),
        ("-", [], False),
        ("", [], False),
    ],
)
def test_every_form_of_the_symbol_column_is_split(
    text: str,
    symbols: list[str],
    several: bool,  # noqa: FBT001
) -> None:
    assert split_symbols(text) == (symbols, several)


def test_a_row_of_several_genes_counts_for_each_requested_gene() -> None:
    index = GeneIndex(
        [RequestedGene("1", ("A",)), RequestedGene("2", ("B",)), RequestedGene("3", ("C",))]
    )
    assert index.find_in_row("-1", "A;X;C") == ([0, 2], False)
    assert index.find_in_row("2", "RENAMED") == ([1], True)
    assert index.find_in_row("-1", "-") == ([], True)


def test_a_row_of_too_many_genes_counts_for_none() -> None:
    index = GeneIndex([RequestedGene("1", ("A",))])
    symbols = ["A", *(f"B{number}" for number in range(MAX_GENES))]
    assert index.find_in_row("-1", ";".join(symbols[:-1])) == ([0], False)
    assert index.find_in_row("-1", ";".join(symbols)) == ([], False)
    assert index.find_in_row("-1", f"subset of {len(symbols)} genes: A") == ([], False)


@pytest.mark.parametrize("symbol", ["HLA-A", "A-GAMMA3'E", "MCS+9.7", "PCDHA@", "PAX6_HS2", "NOT"])
def test_every_kind_of_symbol_is_searched_for_in_quotes(symbol: str) -> None:
    assert search_term([symbol]) == f'"{symbol}"[gene]'


@given(st.lists(st.text(max_size=30)))
def test_a_symbol_that_would_change_the_search_is_omitted(symbols: list[str]) -> None:
    term = search_term(symbols)
    kept = [symbol for symbol in symbols if searchable(symbol)]
    assert term == " OR ".join(f'"{symbol}"[gene]' for symbol in kept)
    assert term.count('"') == 2 * len(kept)
    assert not any(set(symbol) & set('"[]()*\n ') for symbol in kept)
