from pathlib import Path

import pytest

from app.annotation.sources.clinvar.expected import MAX_ALLELES, Expected, read_expected

HEADER = "#Symbol\tGeneID\tTotal_submissions\tTotal_alleles\tSubmissions_reporting_this_gene\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "gene_specific_summary.txt"
    path.write_text(text)
    return path


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    other = "#Overview\n#Symbol\tTotal_alleles\tNew\tGeneID\nPKD1\t17\t-\t5310\n"
    for text in (f"#Overview\n{HEADER}PKD1\t5310\t20\t17\t-\n", other):
        expected = read_expected(written(tmp_path, text))
        assert expected.alleles("5310", "PKD1") == 17
        assert expected.alleles("1", "NONE") == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#Overview\n",
        "#Symbol\tGeneID\n",
        HEADER,
        HEADER + "A\t1\t2\tx\t-\n",
        HEADER + "A\t1\t2\t3\t-\nB\t2\t2\t3\n",
        HEADER.replace("Symbol", "Gene") + "A\t1\t2\t3\t-\n",
        HEADER.replace("GeneID", "Gene_ID") + "A\t1\t2\t3\t-\n",
        HEADER.replace("Total_alleles", "Alleles") + "A\t1\t2\t3\t-\n",
    ],
)
def test_a_different_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_expected(written(tmp_path, text))


def test_clinvars_own_symbol_comes_first() -> None:
    expected = Expected([("OLD", "1", 5), ("TAKEN", "2", 7)])
    assert expected.symbols("1", "NEW") == ("OLD", "NEW")
    assert expected.symbols("1", "OLD") == ("OLD",)
    assert expected.symbols("9", "OTHER") == ("OTHER",)
    assert expected.symbols(None, "NEW") == ("NEW",)
    # ClinVar uses the approved symbol for another gene
    assert expected.symbols("1", "TAKEN") == ("OLD",)


def test_a_symbol_that_clinvar_uses_for_another_gene_is_not_this_gene() -> None:
    expected = Expected([("TAKEN", "2", 7)])
    assert expected.symbols("1", "TAKEN") == ()
    assert expected.alleles("1", "TAKEN") == 0
    assert expected.symbols("2", "TAKEN") == ("TAKEN",)
    assert expected.symbols(None, "TAKEN") == ("TAKEN",)


def test_a_gene_without_id_is_expected_by_its_symbol() -> None:
    assert Expected([("PKD1", "5310", 9)]).alleles(None, "PKD1") == 9


@pytest.mark.parametrize(("said", "meant"), [("9" * 30, MAX_ALLELES), ("-7", 0)])
def test_an_impossible_count_is_limited(tmp_path: Path, said: str, meant: int) -> None:
    expected = read_expected(written(tmp_path, HEADER + f"A\t1\t2\t{said}\t-\n"))
    assert expected.alleles("1", "A") == meant


def test_the_real_file_of_2021_is_read(shared_data: Path) -> None:
    expected = read_expected(shared_data / "clinvar/gene_specific_summary.2021-11-07.txt")
    assert expected.alleles("1", "A1BG") == 21
    assert expected.alleles("109951028", "A-GAMMA3'E") == 6
    # one row for each MIM number
    assert expected.alleles("3492", "IGH") == 162
