import gzip
import json
from pathlib import Path

import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.gtex import NAMES, TISSUES, read
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Count
from sandbox.catalogue import Catalogue
from sandbox.gtex import NOT_COUNTED, NOT_EXPRESSED, ON_X_AND_Y, Gtex
from sandbox.options import Options
from tests.unit.annotation.sources.damage import (
    NO_NUMBERS,
    Said,
    ask,
    broken_gzips,
    cuts,
    refused,
    with_wrong_fields,
    without_each_column,
)

HEADER = 2
"""The number of lines before the header."""

WRONG = {
    "Name": ("", "TP53", "ENSG00000141510", "ENST00000269305.9", "ENSG00000141510.18_PAR_X"),
    **dict.fromkeys(TISSUES, (*NO_NUMBERS, "", "NA", "-0.5")),
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(Options(genes=24))


@pytest.fixture(scope="module")
def packed(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The sandbox's file."""
    path = tmp_path_factory.mktemp("gtex") / "medians.gct.gz"
    (file,) = Gtex(catalogue).files()
    file.write(path, catalogue.genes)
    return path.read_bytes()


@pytest.fixture(scope="module")
def table(packed: bytes) -> str:
    return gzip.decompress(packed).decode()


@pytest.fixture
def genes(catalogue: Catalogue) -> list[Gene]:
    return [
        Gene(gene.index, gene.hgnc_id, gene.symbol, gene.ensembl_id) for gene in catalogue.genes
    ]


@pytest.fixture
def right(genes: list[Gene], table: str, tmp_path: Path) -> Said:
    return said(table, genes, tmp_path)


def said(table: str, genes: list[Gene], folder: Path) -> Said:
    path = folder / "medians.gct"
    path.write_text(table)
    return ask(read, genes, path)


def gct(*rows: str) -> str:
    """A file with these rows. Each row has an id and one value for all 54 tissues."""
    lines = [row.split("\t") for row in rows]
    body = "".join(f"{name}\tX" + f"\t{value}" * len(TISSUES) + "\n" for name, value in lines)
    return f"#1.2\n{len(rows)}\t54\n" + "\t".join((*NAMES, *TISSUES)) + "\n" + body


def test_recorded_medians_are_read_as_the_service_gives_them(
    shared_data: Path, tmp_path: Path
) -> None:
    """No row of the real file is recorded. The API returns the same medians, of v8."""
    recorded = shared_data / "gtex/gtex_medianGeneExpression_TP53_page0.json"
    rows = json.loads(recorded.read_text())["data"]
    medians = dict.fromkeys(TISSUES, "0") | {
        row["tissueSiteDetailId"]: repr(row["median"]) for row in rows
    }
    assert list(medians) == list(TISSUES), "the API has another id of a tissue"
    name = rows[0]["gencodeId"]
    row = "\t".join((name, "TP53", *medians.values()))
    table = "#1.2\n1\t54\n" + "\t".join((*NAMES, *medians)) + f"\n{row}\n"

    tp53 = Gene(1, "HGNC:11998", "TP53", "ENSG00000141510")
    ((data,), counts) = said(table, [tp53], tmp_path)

    assert counts == [Count(rows=1, genes=1)]
    assert data["gencode_id"] == "ENSG00000141510.16"
    assert data["tissues_tpm"]["Adipose_Subcutaneous"] == 22.459
    assert data["tissues_tpm"]["Adipose_Visceral_Omentum"] == 17.8035
    assert data["tissues_tpm"]["Artery_Coronary"] == 19.7309
    assert data["kidney_cortex_tpm"] == 0


def test_the_kidney_has_separate_fields_and_all_54_tissues_are_listed(
    table: str, right: Said
) -> None:
    lines = [line.split("\t") for line in table.splitlines()]
    row = dict(zip(lines[2], lines[3], strict=True))
    data = right.answers[0]

    assert data["gencode_id"] == row["Name"]
    assert (
        data["kidney_cortex_tpm"]
        == float(row["Kidney_Cortex"])
        == data["tissues_tpm"]["Kidney_Cortex"]
    )
    assert data["kidney_medulla_tpm"] == float(row["Kidney_Medulla"])
    assert data["tissues_tpm"] == {name: float(row[name]) for name in TISSUES}
    assert "Liver_Hepatocyte" in row


def test_the_copy_on_y_is_not_the_gene(right: Said) -> None:
    data = right.answers[ON_X_AND_Y]

    assert not data["gencode_id"].endswith("_PAR_Y")
    assert any(data["tissues_tpm"].values())
    assert right.counts == [Count(rows=24, genes=22)]


def test_the_copy_on_y_is_not_the_gene_even_if_it_comes_first(tmp_path: Path) -> None:
    table = gct("ENSG00000169100.14_PAR_Y\t0", "ENSG00000169100.14\t7.5")
    slc25a6 = Gene(1, "HGNC:10992", "SLC25A6", "ENSG00000169100")

    assert said(table, [slc25a6], tmp_path).answers[0]["kidney_cortex_tpm"] == 7.5


def test_a_gene_that_is_not_expressed_is_found_and_one_without_a_row_is_absent(
    right: Said,
) -> None:
    assert set(right.answers[NOT_EXPRESSED]["tissues_tpm"].values()) == {0}
    assert right.answers[NOT_COUNTED] is None


def test_two_different_rows_for_a_gene_make_it_unknown(tmp_path: Path) -> None:
    gene = Gene(1, "HGNC:1", "A", "ENSG00000000001")
    same = gct("ENSG00000000001.1\t2", "ENSG00000000001.1\t2")
    different = gct("ENSG00000000001.1\t2", "ENSG00000000001.2\t3")

    assert said(same, [gene], tmp_path).answers[0]["kidney_medulla_tpm"] == 2
    assert said(different, [gene], tmp_path).answers == ["the file has 2 rows for the gene"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("#1.2\n", "#1.3\n", "does not begin with #1.2"),
        ("24\t68\n", "24\t69\n", "does not begin with #1.2"),
        ("24\t68\n", "24\n", "does not begin with #1.2"),
        ("24\t68\n", "59033\t68\n", "says that it has 59033 rows, and has 24"),
        ("#1.2\n24\t68\n", "", "has no column Name"),
    ],
)
def test_a_file_that_contradicts_its_first_lines_is_refused(
    table: str, genes: list[Gene], tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(UnusableFile, match=message):
        said(table.replace(old, new, 1), genes, tmp_path)


def test_a_file_without_a_column_is_refused(
    genes: list[Gene], right: Said, table: str, tmp_path: Path
) -> None:
    damages = without_each_column(table, (*NAMES, *TISSUES), header=HEADER)
    found = refused(read, damages, genes, right, tmp_path / "t.gct")

    assert len(found) == 56
    assert all(found.values())


def test_a_file_with_a_field_of_another_type_is_refused(
    genes: list[Gene], right: Said, table: str, tmp_path: Path
) -> None:
    damages = with_wrong_fields(table, WRONG, header=HEADER)
    found = refused(read, damages, genes, right, tmp_path / "t.gct")

    assert [what for what, was_refused in found.items() if not was_refused] == []


def test_a_truncated_or_damaged_file_is_refused(
    genes: list[Gene], right: Said, table: str, packed: bytes, tmp_path: Path
) -> None:
    inside = refused(read, cuts(table), genes, right, tmp_path / "t.gct")
    broken = refused(read, broken_gzips(packed), genes, right, tmp_path / "t.gct.gz")

    assert [what for what, was_refused in (inside | broken).items() if not was_refused] == []


def test_a_file_whose_numbers_are_all_0_has_no_genes(tmp_path: Path) -> None:
    gene = Gene(1, "HGNC:1", "A", "ENSG00000000001")

    assert said(gct("ENSG00000000001.1\t0"), [gene], tmp_path).counts == [Count(1, 0)]
