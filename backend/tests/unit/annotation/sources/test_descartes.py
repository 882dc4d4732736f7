import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.descartes import read
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Count
from sandbox.catalogue import Catalogue
from sandbox.descartes import FORMER_SYMBOL, NOT_AVAILABLE, NOT_LISTED, NOT_SEEN, TWICE, Descartes
from sandbox.options import Options
from tests.unit.annotation.sources.damage import NO_NUMBERS, Damage, Said, ask, cuts, judge

NPHS2 = Gene(1, "HGNC:13394", "NPHS2", "ENSG00000116218")
PLA2G2E = Gene(2, "HGNC:13414", "PLA2G2E", "ENSG00000188784")
MYOM3 = Gene(3, "HGNC:26679", "MYOM3", "ENSG00000142661")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(Options(genes=150))


@pytest.fixture(scope="module")
def tables(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The sandbox's files: TPM and percentage."""
    folder = tmp_path_factory.mktemp("descartes")
    texts = []
    for file in Descartes(catalogue).files():
        file.write(folder / file.name, catalogue.genes)
        texts.append((folder / file.name).read_text())
    tpm, percentage = texts
    return tpm, percentage


@pytest.fixture
def genes(catalogue: Catalogue) -> list[Gene]:
    return [
        Gene(gene.index, gene.hgnc_id, gene.symbol, other_symbols=gene.previous)
        for gene in catalogue.genes
    ]


@pytest.fixture
def right(genes: list[Gene], tables: tuple[str, str], tmp_path: Path) -> Said:
    return said(*tables, genes, tmp_path)


def said(tpm: str, percentage: str, genes: list[Gene], folder: Path) -> Said:
    first, second = folder / "tpm.csv", folder / "percentage.csv"
    first.write_text(tpm)
    second.write_text(percentage)
    return ask(read, genes, first, second)


def answers(tpm: str, percentage: str, folder: Path) -> list[Any]:
    gene = Gene(1, "HGNC:15672", "ALG9", other_symbols=("DIBD1",))
    return said(tpm, percentage, [gene], folder).answers


def of_one_cell_type(path: Path, column: str) -> str:
    """A recorded table of several cell types, as the atlas publishes each of them."""
    with path.open(newline="") as file:
        return "".join(f"{row['symbol']},{row[column]}\n" for row in csv.DictReader(file))


def test_recorded_values_are_read_from_two_columns_without_a_header(
    shared_data: Path, tmp_path: Path
) -> None:
    """The recorded values are of cell types, which look like those of the whole kidney."""
    folder = shared_data / "descartes"
    found = said(
        of_one_cell_type(folder / "descartes_fetal_kidney_tpm.share.csv", "metanephric_tpm"),
        of_one_cell_type(
            folder / "descartes_fetal_kidney_percent_expression.share.csv",
            "metanephric_perc_expr",
        ),
        [NPHS2, PLA2G2E, MYOM3],
        tmp_path,
    )

    assert found.answers == [
        {"tpm": 88.4823627609424, "fraction": 0.0295127426383203},
        None,
        {"tpm": 10.2315229153245, "fraction": 0.00932039262291474},
    ]
    assert [count.rows for count in found.counts] == [598, 598]
    assert all(450 < count.genes <= 512 - 1 for count in found.counts)


def test_a_real_table_with_a_header_or_more_columns_is_refused(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "descartes/descartes_fetal_kidney_tpm.share.csv"

    with pytest.raises(UnusableFile, match="line 1: 7 fields, not a symbol and a value"):
        ask(read, [NPHS2], path, path)
    with pytest.raises(UnusableFile, match="line 1: could not convert"):
        answers("symbol,tpm\nALG9,1\n", "ALG9,1\n", tmp_path)


def test_a_symbol_with_two_different_rows_is_unknown(right: Said, tmp_path: Path) -> None:
    reason = "2 rows with different values have the gene's symbol"

    assert right.answers[TWICE] == reason
    assert answers("ALG9,2\nALG9,2\n", "ALG9,0.1\nALG9,0.2\n", tmp_path) == [reason]
    assert answers("ALG9,2\nALG9,NA\n", "ALG9,0.1\nALG9,0.1\n", tmp_path) == [reason]
    same = answers("ALG9,2\nALG9,2\n", "ALG9,0.1\nALG9,0.1\n", tmp_path)
    assert same == [{"tpm": 2.0, "fraction": 0.1}]


def test_na_is_none_and_0_is_0(right: Said, tmp_path: Path) -> None:
    assert right.answers[NOT_AVAILABLE] is None
    assert right.answers[NOT_LISTED] is None
    assert right.answers[NOT_SEEN] == {"tpm": 0, "fraction": 0}
    assert answers("ALG9,NA\n", "ALG9,0\n", tmp_path) == [{"tpm": None, "fraction": 0}]


def test_a_gene_that_only_one_file_has_is_unknown(tmp_path: Path) -> None:
    reason = "only one of the two files has the gene"

    assert answers("ALG9,2\n", "PKD1,0.1\n", tmp_path) == [reason]
    assert answers("PKD1,2\n", "ALG9,0.1\n", tmp_path) == [reason]


def test_a_former_symbol_finds_its_gene(
    right: Said, tables: tuple[str, str], genes: list[Gene]
) -> None:
    former = next(number for number in range(FORMER_SYMBOL, 150, 50) if genes[number].other_symbols)

    assert f"\n{genes[former].symbol}," not in tables[0]
    assert right.answers[former]["tpm"] > 0


@pytest.mark.parametrize("which", [0, 1])
def test_a_row_in_an_unknown_format_is_refused(
    tables: tuple[str, str], genes: list[Gene], right: Said, tmp_path: Path, which: int
) -> None:
    symbol, value = tables[which].splitlines()[1].split(",")
    wrong = [f"{symbol},{each}" for each in (*NO_NUMBERS, "", "-1")]
    wrong += [symbol, f"{symbol},{value},{value}", f",{value}", f"NA,{value}", f"7,{value}", ""]
    wrong += [f'"{symbol},{value}', *([f"{symbol},1.5"] if which else [])]
    damages = (
        Damage(each, tables[which].replace(f"{symbol},{value}\n", f"{each}\n", 1).encode())
        for each in wrong
    )
    found = refused(damages, which, tables, genes, right, tmp_path)

    assert len(found) == len(set(wrong))
    assert [what for what, was_refused in found.items() if not was_refused] == []


@pytest.mark.parametrize("which", [0, 1])
def test_a_truncated_file_gives_no_wrong_answer(
    tables: tuple[str, str], genes: list[Gene], right: Said, tmp_path: Path, which: int
) -> None:
    damages = list(cuts(tables[which]))[::5]
    found = refused(damages, which, tables, genes, right, tmp_path)

    # after a whole line, only the lower number of genes reveals the truncation
    within = [each for each in damages if not each.content.endswith(b"\n") and each.content]
    assert all(found[each.what] for each in within)
    assert 0 < len(within) < len(damages)


def refused(
    damages: Iterable[Damage],
    which: int,
    tables: tuple[str, str],
    genes: list[Gene],
    right: Said,
    folder: Path,
) -> dict[str, bool]:
    """Judge each damage of one of the two files."""
    paths = [folder / "tpm.csv", folder / "percentage.csv"]
    for path, table in zip(paths, tables, strict=True):
        path.write_text(table)
    found = {}
    for damage in damages:
        paths[which].write_bytes(damage.content)
        found[damage.what] = judge(read, genes, right, *paths)
    return found


def test_files_whose_numbers_are_all_0_have_no_genes(tmp_path: Path) -> None:
    zeros = said("ALG9,0\nPKD1,0\n", "ALG9,0.0\nPKD1,0\n", [], tmp_path)

    assert zeros.counts == [Count(rows=2, genes=0)] * 2
