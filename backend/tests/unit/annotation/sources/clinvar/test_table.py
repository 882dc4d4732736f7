import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import igzip, isal_zlib

from app.annotation.sources.clinvar.attribution import RequestedGene
from app.annotation.sources.clinvar.reader import TableError, read_table

COLUMNS = [
    "#AlleleID", "Type", "Name", "GeneID", "GeneSymbol", "HGNC_ID", "ClinicalSignificance",
    "LastEvaluated", "Assembly", "ReviewStatus", "VariationID", "SomaticClinicalImpact",
    "SomaticClinicalImpactLastEvaluated", "Oncogenicity", "OncogenicityLastEvaluated",
]  # fmt: skip
NOT_READ = {"#AlleleID", "Type", "HGNC_ID", "Assembly"}
PKD1 = RequestedGene("5310", ("PKD1",))
TSC2 = RequestedGene("7249", ("TSC2",))
NAME = "NM_1.1(PKD1):c.1A>T (p.Lys2Glu)"


def row(uid: object, **more: str) -> dict[str, str]:
    return {
        "#AlleleID": "7", "Name": NAME, "GeneID": "5310", "GeneSymbol": "PKD1",
        "ClinicalSignificance": "Benign", "LastEvaluated": "Jun 29, 2010",
        "ReviewStatus": "criteria provided, single submitter", "VariationID": str(uid),
        "SomaticClinicalImpact": "-", "SomaticClinicalImpactLastEvaluated": "-",
        "Oncogenicity": "-", "OncogenicityLastEvaluated": "-", **more,
    }  # fmt: skip


def table(folder: Path, *rows: dict[str, str], columns: list[str] = COLUMNS) -> Path:
    path = folder / "variant_summary.txt.gz"
    lines = ["\t".join(columns)]
    lines += ["\t".join(each.get(name, "") for name in columns) for each in rows]
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return path


def test_a_variant_of_both_assemblies_counts_once(tmp_path: Path) -> None:
    path = table(tmp_path, row(1, Assembly="GRCh37"), row(1, Assembly="GRCh38"), row(2))
    (tally,), rows = read_table(path, [PKD1])
    data = tally.data()
    assert rows == 3
    assert data is not None
    assert data["variants"] == 2
    assert data["germline"]["benign"] == 2
    assert data["molecular_consequence"] == {"missense variant": 2}
    assert data["last_evaluated"] == "2010-06-29"


def test_columns_are_found_by_name_and_new_ones_are_ignored(tmp_path: Path) -> None:
    columns = ["New", *reversed(COLUMNS), "Newer"]
    (tally,), _ = read_table(table(tmp_path, row(1), columns=columns), [PKD1])
    assert tally.data() == read_table(table(tmp_path, row(1)), [PKD1])[0][0].data()


def test_the_three_classifications_are_counted_apart(tmp_path: Path) -> None:
    somatic = row(
        1,
        ClinicalSignificance="-",
        ReviewStatus="-",
        LastEvaluated="-",
        SomaticClinicalImpact="Tier I - Strong",
        SomaticClinicalImpactLastEvaluated="Nov 05, 2025",
        Oncogenicity="Oncogenic",
        OncogenicityLastEvaluated="Mar 04, 2025",
    )
    (tally,), _ = read_table(table(tmp_path, somatic), [PKD1])
    data = tally.data()
    assert data is not None
    assert data["germline"]["other"] == 1
    assert data["review_status"] == {}
    assert data["clinical_impact"] == {"Tier I - Strong": 1}
    assert data["oncogenicity"] == {"Oncogenic": 1}
    assert data["last_evaluated"] == "2025-11-05"


def test_genes_are_found_by_id_then_symbol_then_in_lists(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        row(1, GeneSymbol="RENAMED"),
        row(2, GeneID="-1", GeneSymbol="PKD1;TSC2"),
        row(3, GeneID="-1", GeneSymbol="subset of 30 genes: TSC2"),
        row(4, GeneID="-1", GeneSymbol="covers 9 genes, none of which curated to show dosage"),
        row(5, GeneID="1", GeneSymbol="A1BG"),
    )
    (pkd1, tsc2), _ = read_table(path, [PKD1, TSC2])
    assert (sum(pkd1.single_gene.values()), sum(pkd1.multi_gene.values())) == (1, 1)
    assert (sum(tsc2.single_gene.values()), sum(tsc2.multi_gene.values())) == (0, 1)


def test_rows_of_several_genes_are_found_by_the_symbols_of_the_other_rows(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        row(1, GeneID="-1", GeneSymbol="TSC2;OLDPKD1"),
        row(2, GeneID="5310", GeneSymbol="OLDPKD1"),
        row(3, GeneID="77", GeneSymbol="TSC2"),
    )
    (pkd1, tsc2), rows = read_table(path, [PKD1, TSC2])
    assert rows == 3
    assert (sum(pkd1.single_gene.values()), sum(pkd1.multi_gene.values())) == (1, 1)
    # TSC2 is ClinVar's symbol of gene 77
    assert tsc2.data() is None


@given(st.lists(st.integers(0, 6_000_000), max_size=30))
@settings(max_examples=30)
def test_each_variation_id_counts_once(
    tmp_path_factory: pytest.TempPathFactory, uids: list[int]
) -> None:
    path = table(tmp_path_factory.mktemp("table"), *map(row, uids))
    (tally,), rows = read_table(path, [PKD1])
    assert rows == len(uids)
    assert sum(tally.single_gene.values()) == len(set(uids))


def test_lines_that_span_two_blocks_are_joined(tmp_path: Path) -> None:
    filler = {"#AlleleID": "x" * 700_001}
    rows = [row(uid, **(filler if uid % 3 == 0 else {})) for uid in range(1, 12)]
    (tally,), _ = read_table(table(tmp_path, *rows), [PKD1])
    assert sum(tally.single_gene.values()) == 11


def test_a_last_line_without_a_line_end_counts(tmp_path: Path) -> None:
    path = table(tmp_path, row(1), row(2))
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).rstrip(b"\n")))
    (tally,), _ = read_table(path, [PKD1])
    assert sum(tally.single_gene.values()) == 2


@pytest.mark.parametrize("uid", ["x", "", "-4", str(1 << 40)])
def test_the_error_names_a_broken_row(tmp_path: Path, uid: str) -> None:
    with pytest.raises(TableError, match="row 2 "):
        read_table(table(tmp_path, row(1), row(uid)), [PKD1])


@pytest.mark.parametrize(
    "renamed",
    [name for name in COLUMNS if name not in {"#AlleleID", "Type", "HGNC_ID", "Assembly"}],
)
def test_the_error_names_a_missing_column(tmp_path: Path, renamed: str) -> None:
    columns = [f"New{name}" if name == renamed else name for name in COLUMNS]
    with pytest.raises(TableError, match=f"no column {renamed}$"):
        read_table(table(tmp_path, row(1), columns=columns), [PKD1])


@pytest.mark.parametrize("name", ["a\tb", None])
def test_a_row_with_another_number_of_fields_is_refused(tmp_path: Path, name: str | None) -> None:
    path = table(tmp_path, row(1, Name=name or "x"))
    if name is None:
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"\tx", b"")))
    with pytest.raises(TableError, match=r"row 1 .* (fields|invalid literal)"):
        read_table(path, [PKD1])


def test_a_date_in_an_unknown_format_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, row(1), row(2, LastEvaluated="11.03.2026"))
    with pytest.raises(TableError, match=r"row 2 .*'11\.03\.2026'"):
        read_table(path, [PKD1])


def test_a_row_truncated_anywhere_is_refused(tmp_path: Path) -> None:
    columns = [*COLUMNS, "SCVs"]
    path = table(tmp_path, row(1), row(2, SCVs="SCV000000001"), columns=columns)
    whole = gzip.decompress(path.read_bytes())
    last = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(last + 1, len(whole) - len("SCV000000001\n")):
        path.write_bytes(gzip.compress(whole[:end]))
        with pytest.raises(TableError, match="row 2 "):
            read_table(path, [PKD1])


def test_a_gzip_file_truncated_anywhere_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, row(1), row(2))
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises((TableError, EOFError, OSError, isal_zlib.IsalError)):
            read_table(path, [PKD1])


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, *map(row, range(1, 500)))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(EOFError):
        read_table(path, [PKD1])


def test_a_file_that_is_not_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "variant_summary.txt.gz"
    path.write_bytes(b"<html>moved</html>" * 20)
    with pytest.raises((OSError, igzip.BadGzipFile)):
        read_table(path, [PKD1])
