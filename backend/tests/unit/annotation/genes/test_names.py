import json
from pathlib import Path

import msgspec

from app.annotation.genes.columns import Row
from app.annotation.genes.importing import ImportReport, resolve_rows
from app.annotation.genes.names import Names, Remark, Resolved
from app.annotation.sources.hgnc.records import APPROVED, Record, Target, Withdrawn

NAMES = Names(
    [
        Record("HGNC:1", "AAA", APPROVED, prev_symbol=("OLD", "SPLIT"), alias_symbol=("BBB", "AL")),
        Record(
            "HGNC:2", "BBB", APPROVED, prev_symbol=("SPLIT",), alias_symbol=("AL", "OLD", "CCC")
        ),
        Record("HGNC:3", "CCC", APPROVED),
        Record("HGNC:4", "GONE", "Entry Withdrawn"),
    ],
    [
        Withdrawn("HGNC:8", "XXX", "Entry Withdrawn", ()),
        Withdrawn("HGNC:9", "YYY", "Merged/Split", (Target("HGNC:1", "AAA", "Approved"),)),
    ],
)


def gene_of(row: Row) -> str:
    found = NAMES.resolve(row)
    assert isinstance(found, Resolved)
    return found.gene.hgnc_id


def remark_on(row: Row) -> Remark:
    found = NAMES.resolve(row)
    (remark,) = found.notes if isinstance(found, Resolved) else (found,)
    return remark


def test_an_approved_symbol_means_its_gene_even_if_it_is_an_alias_of_others() -> None:
    assert gene_of(Row(1, symbol="BBB")) == "HGNC:2"
    assert gene_of(Row(1, symbol="bbb")) == "HGNC:2"


def test_a_previous_symbol_comes_before_an_alias() -> None:
    assert gene_of(Row(1, symbol="OLD")) == "HGNC:1"
    assert remark_on(Row(7, symbol="OLD")) == Remark(
        7, "OLD", "previous symbol", "a previous symbol of AAA (HGNC:1)"
    )


def test_an_ambiguous_symbol_names_its_genes() -> None:
    remark = remark_on(Row(3, symbol="AL"))
    assert remark.kind == "ambiguous"
    assert remark.detail == "an alias of each of AAA (HGNC:1), BBB (HGNC:2)"
    assert remark_on(Row(3, symbol="SPLIT")).kind == "ambiguous"


def test_a_withdrawn_gene_names_its_successor() -> None:
    assert remark_on(Row(1, symbol="YYY")).detail == (
        "YYY (HGNC:9) was withdrawn, merged into AAA (HGNC:1)"
    )
    assert remark_on(Row(1, hgnc_id="HGNC:8")).kind == "withdrawn"


def test_unknown_and_empty_rows_are_reported() -> None:
    assert remark_on(Row(1, symbol="NOPE")).kind == "unknown"
    assert remark_on(Row(1, hgnc_id="HGNC:77")).kind == "unknown"
    assert remark_on(Row(1, symbol="GONE")).kind == "unknown"
    assert remark_on(Row(1)).kind == "empty"


def test_the_id_is_used_when_the_symbol_means_another_gene() -> None:
    assert gene_of(Row(1, "HGNC:3", "AAA")) == "HGNC:3"
    assert remark_on(Row(1, "HGNC:3", "AAA")).kind == "other symbol"


def test_no_note_is_given_if_the_id_and_the_name_mean_the_same_gene() -> None:
    for symbol in ("AAA", "aaa", "OLD", "SPLIT", "AL", "BBB"):
        found = NAMES.resolve(Row(1, "HGNC:1", symbol))
        assert isinstance(found, Resolved)
        assert found.notes == ()


def test_rows_that_repeat_a_gene_are_counted_as_duplicates() -> None:
    report = ImportReport()
    rows = [Row(1, symbol="AAA"), Row(2, symbol="OLD"), Row(3, "HGNC:1"), Row(4, symbol="CCC")]
    genes = resolve_rows(rows, NAMES, report)
    assert [gene.symbol for gene in genes] == ["AAA", "CCC"]
    assert report.duplicates == 2
    assert [note.line for note in report.notes] == [2]


def test_cap2_is_approved_and_an_alias_of_two_others(shared_data: Path) -> None:
    documents = []
    for name in ("hgnc_symbol_CAP2", "hgnc_alias_symbol_CAP2", "hgnc_prev_symbol_MLL"):
        body = json.loads((shared_data / f"hgnc/{name}.json").read_bytes())
        documents += body["response"]["docs"]
    names = Names(msgspec.convert(documents, list[Record]), [])
    cap2 = names.resolve(Row(1, symbol="CAP2"))
    assert isinstance(cap2, Resolved)
    assert cap2.gene.hgnc_id == "HGNC:20039"
    mll = names.resolve(Row(1, symbol="MLL"))
    assert isinstance(mll, Resolved)
    assert mll.gene.symbol == "KMT2A"
