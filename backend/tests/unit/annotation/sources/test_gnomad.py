import gzip
from pathlib import Path

import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.gnomad import CLASSES, COLUMNS, read
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Count
from sandbox.catalogue import Catalogue
from sandbox.gnomad import OF_OTHERS_ONLY, WITHOUT_LOF, WITHOUT_MANE, WITHOUT_ROWS, Gnomad
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

BRCA1 = Gene(1, "HGNC:1100", "BRCA1", "ENSG00000012048", "672")
OR4F5 = Gene(2, "HGNC:14825", "OR4F5", "ENSG00000186092", "79501")
NAMELESS = Gene(3, "HGNC:1", "NAMELESS")

COUNTED = [f"{each}.{metric}" for each in CLASSES for metric in ("obs", "exp", "oe")]
BOUNDS = [f"{each}.oe_ci.{end}" for each in CLASSES for end in ("lower", "upper")]
WRONG = {
    "gene_id": ("", "7157", "BRCA1"),
    "transcript": ("", "NA", "1.0", "ENST1"),
    "transcript_version": ("", "NA", "2"),
    "canonical": ("", "NA", "1", "True"),
    "mane_select": ("", "NA", "1", "True"),
    "constraint_flags": ("", "NA", "no_exp_lof", "[1]", "{}"),
    "gene_flags": ("", "low_exome_coverage", "[null]"),
    "lof.pLI": ("", *NO_NUMBERS, "-0.1", "1.1"),
    **dict.fromkeys([*COUNTED, *BOUNDS], ("", *NO_NUMBERS, "-1")),
    **{f"{each}.z_score": ("", *NO_NUMBERS) for each in CLASSES},
}
"""Wrong values by column. gnomAD writes NA for no number, so an empty field is an error."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(Options(genes=40))


@pytest.fixture(scope="module")
def packed(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The sandbox's file."""
    path = tmp_path_factory.mktemp("gnomad") / "table.tsv.bgz"
    (file,) = Gnomad(catalogue).files()
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


def said(table: str | bytes, genes: list[Gene], folder: Path) -> Said:
    path = folder / "table.tsv"
    path.write_bytes(table.encode() if isinstance(table, str) else table)
    return ask(read, genes, path)


def test_the_real_rows_give_the_numbers_of_the_mane_transcript(shared_data: Path) -> None:
    path = shared_data / "gnomad/gnomad.v4.1.1.constraint_metrics.BRCA1_OR4F5.tsv"

    found = ask(read, [BRCA1, OR4F5, NAMELESS], path)

    brca1, or4f5, nameless = found.answers
    assert found.counts == [Count(rows=12, genes=2)]
    assert (brca1["transcript"], brca1["is_mane_select"]) == ("ENST00000357654.9", True)
    assert (brca1["pli"], brca1["loeuf"]) == (5.5171e-38, 0.92759)
    assert brca1["lof"] == {
        "observed": 140,
        "expected": 173.66,
        "oe": 0.80618,
        "oe_lower": 0.70284,
        "oe_upper": 0.92759,
        "z": 2.1667,
    }
    assert (brca1["mis"]["observed"], brca1["mis"]["z"]) == (1983, 1.7336)
    assert (brca1["syn"]["expected"], brca1["syn"]["z"]) == (756.04, 2.0407)
    assert (brca1["constraint_flags"], brca1["gene_flags"]) == ([], [])
    assert (or4f5["pli"], or4f5["loeuf"], or4f5["mis"]["z"]) == (0.71899, 0.81976, 4.1371)
    assert or4f5["gene_flags"] == ["low_exome_coverage", "low_exome_mapping_quality"]
    assert nameless == "the gene has no Ensembl id, by which the source identifies genes"


def test_rows_of_refseq_and_of_other_transcripts_never_count(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "gnomad/gnomad.v4.1.1.constraint_metrics.BRCA1_OR4F5.tsv"
    rows = path.read_text().splitlines(keepends=True)
    without = "".join(row for row in rows if "ENST00000357654" not in row)

    assert said(without, [BRCA1], tmp_path).answers == [None]


def test_the_layout_of_v4_1_is_refused(shared_data: Path) -> None:
    with pytest.raises(UnusableFile, match="no column transcript_version, gene_flags"):
        ask(read, [BRCA1], shared_data / "gnomad/constraint_metrics.v4.1.head.tsv")


def test_without_mane_select_the_canonical_transcript_counts(
    genes: list[Gene], right: Said
) -> None:
    usual, canonical = right.answers[0], right.answers[WITHOUT_MANE]

    assert (usual["is_mane_select"], canonical["is_mane_select"]) == (True, False)
    assert usual["transcript"].startswith(f"ENST{int(genes[0].ensembl_gene_id[4:]) * 10 + 1:011d}.")
    assert canonical["loeuf"] == canonical["lof"]["oe_upper"] > 0


def test_a_gene_without_a_transcript_that_represents_it_is_absent(right: Said) -> None:
    assert right.answers[WITHOUT_ROWS] is None
    assert right.answers[OF_OTHERS_ONLY] is None
    assert right.counts[0].genes == 38


def test_na_is_none_and_not_0(right: Said) -> None:
    data = right.answers[WITHOUT_LOF]

    assert data["constraint_flags"] == ["no_exp_lof"]
    assert (data["pli"], data["loeuf"], set(data["lof"].values())) == (None, None, {None})
    assert data["mis"]["observed"] > 0


def test_two_rows_that_both_represent_a_gene_make_it_unknown(
    genes: list[Gene], right: Said, table: str, tmp_path: Path
) -> None:
    lines = table.splitlines(keepends=True)
    other = lines[3].replace("\tfalse\tfalse\t", "\ttrue\ttrue\t", 1)

    assert said(table + lines[2], genes, tmp_path).answers == right.answers
    first, *rest = said(table + other, genes, tmp_path).answers
    assert first.startswith("the file has 2 rows that represent the gene, of ENST")
    assert rest == right.answers[1:]


def test_a_file_without_a_column_is_refused(
    genes: list[Gene], right: Said, table: str, tmp_path: Path
) -> None:
    found = refused(read, without_each_column(table, COLUMNS), genes, right, tmp_path / "t.tsv")

    assert len(found) == len(COLUMNS) == 26
    assert all(found.values())


def test_a_file_with_a_field_of_another_type_is_refused(
    genes: list[Gene], right: Said, table: str, tmp_path: Path
) -> None:
    damages = with_wrong_fields(table, WRONG, row=1)
    found = refused(read, damages, genes, right, tmp_path / "t.tsv")

    assert set(WRONG) == set(COLUMNS)
    assert [what for what, was_refused in found.items() if not was_refused] == []


def test_a_truncated_file_gives_no_wrong_answer(
    genes: list[Gene], right: Said, table: str, packed: bytes, tmp_path: Path
) -> None:
    inside = refused(read, cuts(table), genes, right, tmp_path / "t.tsv")
    assert sum(inside.values()) > len(inside) / 2
    # truncation between two blocks gives a valid bgzip file
    refused(read, broken_gzips(packed), genes, right, tmp_path / "t.tsv.bgz")


def test_a_file_whose_numbers_are_all_0_has_no_genes(
    genes: list[Gene], table: str, tmp_path: Path
) -> None:
    header, *rows = (line.split("\t") for line in table.splitlines())
    first = header.index("syn.mu")
    zeros = [row[:first] + ["0"] * (len(row) - first) for row in rows]
    text = "".join("\t".join(row) + "\n" for row in (header, *zeros))

    assert said(text, genes, tmp_path).counts == [Count(rows=len(rows), genes=0)]
