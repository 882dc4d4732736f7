from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.gencc.data import GenccData, Submission
from app.annotation.sources.gencc.reader import COLUMNS, read
from app.annotation.sources.gencc.source import Gencc
from app.annotation.upstream.bulk_files.messages import Count, Reading
from tests.unit.annotation.sources.broken import (
    Table,
    answers,
    asked,
    readable_cuts,
    refused,
    written,
)

ATM = Gene(1, "HGNC:795", "ATM")
MITF = Gene(2, "HGNC:7105", "MITF")
NOTHING = Gene(3, "HGNC:1", "NOTHING")
GENES = (ATM, MITF, NOTHING)

SAMPLE = "gencc/gencc-submissions.sgc_id-layout.share.tsv"

_HEADER = ("sgc_id", "version_number", *COLUMNS, "submitted_as_notes")
_STRONG = ("GENCC:100002", "Strong")
_LIMITED = ("GENCC:100004", "Limited")


def row(name: str, version: str, term: tuple[str, str], at: str, *, by: str = "Lab") -> str:
    disease = ("HGNC:795", "MONDO:0008840", "ataxia telangiectasia")
    rest = ("Autosomal recessive", by, at, "https://a/1", "plain")
    return "\t".join((name, version, *disease, *term, *rest)) + "\n"


TABLE = (
    "\t".join(_HEADER)
    + "\n"
    + row("SGC-1", "1", _LIMITED, "2015-12-21 00:00:00")
    + row("SGC-2", "1", _STRONG, "2025-01-17T00:00:00.000000Z", by="Other Lab")
)


@pytest.fixture
def read_text(tmp_path: Path) -> Callable[[str | bytes], Reading]:
    return lambda content: read(asked(GENES), written(tmp_path, "submissions", content))


def test_the_rows_of_a_real_file_are_read(shared_data: Path) -> None:
    found = read(asked(GENES), shared_data / SAMPLE)
    atm, mitf, nothing = answers(found)

    assert found.counts[0].rows == 107
    assert isinstance(atm, GenccData)
    assert atm.strongest_classification == "Definitive"
    assert len(atm.submissions) == 7
    assert atm.superseded == 0
    assert (
        Submission(
            disease="ataxia telangiectasia",
            disease_id="MONDO:0008840",
            submitter="Ambry Genetics",
            classification="Definitive",
            mode_of_inheritance="Autosomal recessive",
            date=date(2015, 12, 21),
            report_url=None,
        )
        in atm.submissions
    )
    tietz = next(each for each in mitf.submissions if each.disease == "Tietz syndrome")
    assert (tietz.classification, tietz.date) == ("Moderate", date(2018, 8, 31))
    assert nothing is None


def test_all_terms_of_a_real_file_are_known(shared_data: Path) -> None:
    lines = (shared_data / SAMPLE).read_text().splitlines()[1:]
    genes = [Gene(0, each, "") for each in sorted({line.split("\t")[2] for line in lines})]
    found = answers(read(asked(genes), shared_data / SAMPLE))

    assert all(each.unknown_terms == {} for each in found)
    assert sum(len(each.submissions) for each in found) == len(lines)


def test_all_submitters_are_listed_and_the_strongest_classification_is_named(
    read_text: Callable[[str], Reading],
) -> None:
    atm, *_ = answers(read_text(TABLE))

    assert [(each.submitter, each.date) for each in atm.submissions] == [
        ("Lab", date(2015, 12, 21)),
        ("Other Lab", date(2025, 1, 17)),
    ]
    assert atm.strongest_classification == "Strong"


def test_the_order_of_rows_does_not_matter(read_text: Callable[[str], Reading]) -> None:
    header, first, second = TABLE.splitlines(keepends=True)

    assert answers(read_text(header + second + first)) == answers(read_text(TABLE))


def test_of_a_submitters_repeated_submissions_the_newest_one_counts(
    read_text: Callable[[str], Reading],
) -> None:
    newer = row("SGC-3", "1", _STRONG, "2020-01-01")
    older = row("SGC-4", "1", _STRONG, "2014-01-01 10:00:00")
    undated = row("SGC-5", "1", _STRONG, "")
    atm, *_ = answers(read_text(TABLE + newer + older + undated))

    assert [each.date for each in atm.submissions] == [date(2020, 1, 1), date(2025, 1, 17)]
    assert atm.superseded == 3


def test_of_a_submissions_versions_the_last_one_counts(read_text: Callable[[str], Reading]) -> None:
    atm, *_ = answers(read_text(TABLE + row("SGC-2", "2", _LIMITED, "2024-01-01", by="Third Lab")))

    assert [each.submitter for each in atm.submissions] == ["Lab", "Third Lab"]
    assert atm.strongest_classification == "Limited"


def test_the_older_layout_is_also_read(read_text: Callable[[str], Reading]) -> None:
    lines = [line.split("\t") for line in TABLE.splitlines()]
    lines[0][0] = "uuid"
    old = "\n".join("\t".join(f'"{each}"' for each in [row[0], *row[2:]]) for row in lines) + "\n"

    assert answers(read_text(old)) == answers(read_text(TABLE))


def test_notes_may_have_quotes_tabs_and_line_ends(read_text: Callable[[str], Reading]) -> None:
    noted = TABLE.replace("\tplain\n", '\t"a ""quote"",\n\ta line"\n', 1)

    assert answers(read_text(noted)) == answers(read_text(TABLE))
    assert read_text(noted).counts == [Count(rows=2, genes=1)]


def test_unknown_terms_are_kept_and_counted(read_text: Callable[[str], Reading]) -> None:
    odd = row("SGC-9", "1", ("GENCC:100010", "Convincing"), "2024-01-01", by="New Lab")
    atm, *_ = answers(read_text(TABLE + odd.replace("Autosomal recessive", "Odd")))

    assert atm.unknown_terms == {"Convincing": 1, "Odd": 1}
    assert atm.submissions[-1].classification == "Convincing"
    assert atm.strongest_classification == "Strong"
    assert not Gencc.knows_term("Convincing")
    assert Gencc.knows_term("Animal Model Only")


@pytest.mark.parametrize("column", ["sgc_id", "version_number", *COLUMNS])
def test_a_file_without_a_column_is_unusable(
    read_text: Callable[[str], Reading], column: str
) -> None:
    refused(lambda: read_text(Table(TABLE).without(column)), "has no column")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sgc_id", ""),
        ("version_number", ""),
        ("version_number", "0"),
        ("version_number", "one"),
        ("gene_curie", ""),
        ("gene_curie", "ATM"),
        ("disease_curie", ""),
        ("disease_curie", "ataxia"),
        ("disease_title", ""),
        ("classification_curie", "GENCC:100001"),
        ("classification_title", ""),
        ("classification_title", "Definitive"),
        ("submitter_title", ""),
        ("submitted_as_date", "2025"),
        ("submitted_as_date", "31/12/2024"),
    ],
)
def test_a_row_with_a_wrong_value_makes_the_file_unusable(
    read_text: Callable[[str], Reading], column: str, value: str
) -> None:
    refused(lambda: read_text(Table(TABLE).with_value(column, value)), "line 3|not a date")


def test_a_truncated_file_is_unusable_or_has_fewer_rows(
    read_text: Callable[[str | bytes], Reading],
) -> None:
    for cut, found in readable_cuts(TABLE.encode(), read_text):
        assert cut.endswith(b"\n")
        assert found.counts[0].rows < 2
