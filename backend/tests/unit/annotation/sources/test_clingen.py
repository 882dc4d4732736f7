from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.clingen.data import SCORES, ClinGenData, Dosage
from app.annotation.sources.clingen.reader import DOSAGE_COLUMNS, VALIDITY_COLUMNS, read
from app.annotation.sources.clingen.release import release_of_rows
from app.annotation.sources.clingen.source import ClinGen
from app.annotation.upstream.bulk_files.messages import Count, Reading
from app.annotation.upstream.cache import Download
from app.annotation.upstream.release import Release
from tests.unit.annotation.sources.broken import (
    Table,
    answers,
    asked,
    readable_cuts,
    refused,
    written,
)

PKD1 = Gene(1, "HGNC:9008", "PKD1", "ENSG00000008710", "5310")
CFH = Gene(2, "HGNC:4883", "CFH", entrez_id="3075")
GEN1 = Gene(3, "HGNC:26881", "GEN1", entrez_id="348654")
NEITHER = Gene(4, "HGNC:1", "NEITHER", entrez_id="999999")
WITHOUT_ENTREZ = Gene(5, "HGNC:2", "BARE")
GENES = (PKD1, CFH, GEN1, NEITHER, WITHOUT_ENTREZ)

VALIDITY_SAMPLE = "clingen/Clingen-Gene-Disease-Summary-2025-01-09.share.csv"
DOSAGE_SAMPLE = "clingen/ClinGen_gene_curation_list_GRCh38.2026-02-06.share.tsv"

_RULES = ("+++++",) * 10
VALIDITY = "".join(
    ",".join(f'"{value}"' for value in row) + "\n"
    for row in (
        ("CLINGEN GENE DISEASE VALIDITY CURATIONS", *("",) * 9),
        ("FILE CREATED: 2026-01-09", *("",) * 9),
        ("WEBPAGE: https://search.clinicalgenome.org/kb/gene-validity", *("",) * 9),
        _RULES,
        ("GENE SYMBOL", *VALIDITY_COLUMNS),
        _RULES,
        (
            *("PKD1", "HGNC:9008", 'PKD, with ""quotes""', "MONDO:0004691", "AD", "SOP6"),
            *("Limited", "https://a/1", "2021-02-26T15:13:56.823Z", "Panel A"),
        ),
        (
            *("PKD1", "HGNC:9008", 'PKD, with ""quotes""', "MONDO:0004691", "AD", "SOP9"),
            *("Strong", "https://a/2", "2023-01-11T00:00:00", "Panel B"),
        ),
    )
)
VALIDITY_TABLE = Table(VALIDITY, header=4, separator=",", quoted=True)
NOT_YET = "Not yet evaluated"
DOSAGE = "\n".join(
    [
        "#ClinGen Gene Curation Results",
        "#06 Feb,2026",
        "#" + "\t".join(("Gene Symbol", *DOSAGE_COLUMNS)),
        f"PKD1\t5310\t3\t{SCORES[3]}\t{NOT_YET}\t{NOT_YET}\t2020-06-10\tMONDO:0008263\t",
        f"GEN1\t348654\t40\t{SCORES[40]}\t0\t{SCORES[0]}\t2021-02-02\t\tMONDO:0010714",
        "",
    ]
)
DOSAGE_TABLE = Table(DOSAGE, header=2)


@pytest.fixture
def read_texts(tmp_path: Path) -> Callable[..., Reading]:
    def read_both(validity: str | bytes = VALIDITY, dosage: str | bytes = DOSAGE) -> Reading:
        return read(
            asked(GENES),
            written(tmp_path, "download", validity),
            written(tmp_path, "dosage.tsv", dosage),
        )

    return read_both


def test_the_rows_of_real_files_are_read(shared_data: Path) -> None:
    found = read(asked(GENES), shared_data / VALIDITY_SAMPLE, shared_data / DOSAGE_SAMPLE)
    pkd1, cfh, gen1, neither, bare = answers(found)

    assert found.counts == [Count(rows=180, genes=168), Count(rows=172, genes=143)]
    assert found.release == "2025-01-09"
    assert isinstance(pkd1, ClinGenData)
    dominant, recessive = pkd1.validity
    assert (dominant.disease_id, dominant.mode_of_inheritance) == ("MONDO:0004691", "AD")
    assert (recessive.disease_id, recessive.mode_of_inheritance) == ("MONDO:0009889", "AR")
    assert recessive.disease == "autosomal recessive polycystic kidney disease"
    assert recessive.expert_panel == (
        "Kidney Cystic and Ciliopathy Disorders Gene Curation Expert Panel"
    )
    assert (recessive.date, recessive.procedure) == (date(2023, 1, 11), "SOP9")
    assert recessive.report_url == (
        "https://search.clinicalgenome.org/kb/gene-validity/"
        "CGGV:assertion_d38c5bda-7182-403f-a99b-4f8492afb24f-2023-01-11T170000.000Z"
    )
    assert pkd1.strongest_classification == "Definitive"
    assert pkd1.haploinsufficiency == Dosage(
        3, "Sufficient evidence for dosage pathogenicity", ["MONDO:0008263"]
    )
    assert pkd1.triplosensitivity == Dosage(0, "No evidence available", [])
    assert pkd1.dosage_date == date(2020, 6, 10)
    assert [each.mode_of_inheritance for each in cfh.validity] == ["AR", "SD"]
    assert cfh.haploinsufficiency is None
    assert gen1.strongest_classification is None
    assert gen1.validity == []
    assert gen1.haploinsufficiency == Dosage(40, "Dosage sensitivity unlikely", [])
    assert neither is None
    assert bare == "the gene has no Entrez id, by which the source identifies genes"


def test_all_terms_of_real_files_are_known(shared_data: Path) -> None:
    validity, dosage = shared_data / VALIDITY_SAMPLE, shared_data / DOSAGE_SAMPLE
    ids = {line.split('","')[1] for line in validity.read_text().splitlines()[6:]}
    entrez = {line.split("\t")[1] for line in dosage.read_text().splitlines()[6:]}
    genes = [Gene(0, each, "", entrez_id="0") for each in sorted(ids)]
    genes += [Gene(0, "", "", entrez_id=each) for each in sorted(entrez)]
    found = answers(read(asked(genes), validity, dosage))

    assert len(found) == 168 + 172
    assert [each.unknown_terms for each in found] == [{}] * len(found)


def test_the_strongest_of_several_panels_is_named(read_texts: Callable[..., Reading]) -> None:
    pkd1, *_ = answers(read_texts())

    assert [each.classification for each in pkd1.validity] == ["Limited", "Strong"]
    assert pkd1.strongest_classification == "Strong"
    assert pkd1.validity[0].disease == 'PKD, with "quotes"'


def test_a_repeated_row_counts_once(read_texts: Callable[..., Reading]) -> None:
    repeated = VALIDITY.splitlines(keepends=True)[-1]

    assert answers(read_texts(VALIDITY + repeated)) == answers(read_texts())


def test_not_yet_evaluated_is_none_and_not_0(read_texts: Callable[..., Reading]) -> None:
    pkd1, _, gen1, *_ = answers(read_texts())

    assert pkd1.triplosensitivity == Dosage(None, "Not yet evaluated", [])
    assert gen1.triplosensitivity == Dosage(0, "No evidence available", ["MONDO:0010714"])


def test_of_two_rows_of_a_gene_the_newer_dosage_counts(read_texts: Callable[..., Reading]) -> None:
    older = DOSAGE.splitlines()[3].replace("2020", "2019").replace("\t3\tSufficient", "\t1\tLittle")

    assert answers(read_texts(dosage=DOSAGE + older + "\n")) == answers(read_texts())


def test_unknown_terms_are_kept_and_counted(read_texts: Callable[..., Reading]) -> None:
    changed = VALIDITY_TABLE.with_value("CLASSIFICATION", "Convincing")
    changed = Table(changed, header=4, separator=",", quoted=True).with_value("MOI", "ZZ")
    dosage = DOSAGE_TABLE.with_value("Haploinsufficiency Score", "7", row=1)
    dosage = Table(dosage, header=2).with_value("Haploinsufficiency Description", "Odd", row=1)
    pkd1, *_ = answers(read_texts(changed, dosage))

    assert pkd1.unknown_terms == {"Convincing": 1, "ZZ": 1, "Odd": 1}
    assert pkd1.strongest_classification == "Limited"
    assert pkd1.haploinsufficiency == Dosage(7, "Odd", ["MONDO:0008263"])
    assert not ClinGen.knows_term("Convincing")
    assert all(map(ClinGen.knows_term, ("Definitive", "AD", "No evidence available")))


@pytest.mark.parametrize("column", VALIDITY_COLUMNS)
def test_a_validity_file_without_a_column_is_unusable(
    read_texts: Callable[..., Reading], column: str
) -> None:
    refused(lambda: read_texts(VALIDITY_TABLE.without(column)), "has no column")


@pytest.mark.parametrize("column", DOSAGE_COLUMNS)
def test_a_dosage_file_without_a_column_is_unusable(
    read_texts: Callable[..., Reading], column: str
) -> None:
    refused(lambda: read_texts(dosage=DOSAGE_TABLE.without(column)), "has no column")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("GENE ID (HGNC)", "9008"),
        ("GENE ID (HGNC)", ""),
        ("DISEASE LABEL", ""),
        ("DISEASE ID (MONDO)", "OMIM:173900"),
        ("DISEASE ID (MONDO)", ""),
        ("CLASSIFICATION", ""),
        ("CLASSIFICATION DATE", ""),
        ("CLASSIFICATION DATE", "yesterday"),
        ("CLASSIFICATION DATE", "0001-01-01T00:00:00+05:00"),
    ],
)
def test_a_validity_row_with_a_wrong_value_makes_the_file_unusable(
    read_texts: Callable[..., Reading], column: str, value: str
) -> None:
    refused(lambda: read_texts(VALIDITY_TABLE.with_value(column, value)), "line 8|date")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Gene ID", ""),
        ("Gene ID", "GEN1"),
        ("Haploinsufficiency Score", ""),
        ("Haploinsufficiency Score", "high"),
        ("Haploinsufficiency Score", "0"),
        ("Haploinsufficiency Description", "No evidence available"),
        ("Triplosensitivity Score", "3"),
        ("Triplosensitivity Score", "Not yet evaluated"),
        ("Triplosensitivity Description", "Not yet evaluated"),
        ("Date Last Evaluated", "02/02/2021"),
        ("Haploinsufficiency Disease ID", "GEN1"),
        ("Triplosensitivity Disease ID", "MONDO:001"),
    ],
)
def test_a_dosage_row_with_a_wrong_value_makes_the_file_unusable(
    read_texts: Callable[..., Reading], column: str, value: str
) -> None:
    refused(lambda: read_texts(dosage=DOSAGE_TABLE.with_value(column, value)), "line 5|not a date")


def test_a_file_without_its_date_is_unusable(read_texts: Callable[..., Reading]) -> None:
    refused(lambda: read_texts(VALIDITY.replace("FILE CREATED", "CREATED")), "when it was created")


def test_a_truncated_file_is_unusable_or_has_fewer_rows(read_texts: Callable[..., Reading]) -> None:
    for cut, found in readable_cuts(VALIDITY.encode(), read_texts):
        assert cut.endswith(b"\n")
        assert found.counts[0].rows < 2
    for cut, found in readable_cuts(DOSAGE.encode(), lambda cut: read_texts(dosage=cut)):
        assert cut.endswith(b"\n")
        assert found.counts[1].rows < 2


def test_a_dosage_file_of_zeros_has_no_genes_with_data(
    read_texts: Callable[..., Reading],
) -> None:
    header = DOSAGE.splitlines()[:3]
    row = "GEN1\t348654\t0\tNo evidence available\t0\tNo evidence available\t2021-02-02\t\t"
    found = read_texts(dosage="\n".join([*header, row, ""]))
    assert found.counts[1] == Count(rows=1, genes=0)


def test_only_changed_rows_are_a_new_release(tmp_path: Path) -> None:
    def release(validity: str = VALIDITY, dosage: str = DOSAGE) -> Release:
        return release_of_rows(
            Download(written(tmp_path, "a", validity), "a", "2026-02-01", "etag", "https://a/a", 1),
            Download(written(tmp_path, "b", dosage), "b", "2026-02-01", "etag", "https://a/b", 1),
        )

    first = release()
    later = release(VALIDITY.replace("2026-01-09", "2026-01-10"), DOSAGE.replace("06 Feb", "7 Feb"))
    assert (first.name, later.name) == ("2026-01-09", "2026-01-10")
    assert first.marker == later.marker
    assert release(validity=VALIDITY.replace("Strong", "Moderate")).marker != first.marker
    assert release(dosage=DOSAGE.replace("2021-02-02", "2021-02-03")).marker != first.marker
