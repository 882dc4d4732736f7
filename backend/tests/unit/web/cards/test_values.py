"""The formatting of single values, including long ones."""

import pytest

from app.web.cards.markup import markup, prose
from app.web.cards.values import Value, cut, write


@pytest.mark.parametrize(
    ("value", "unit", "text", "said_unit"),
    [
        (1_234_567, "variants", "1,234,567", "variants"),
        (40_000_001, "PubMed id", "40000001", ""),
        (12, "version", "12", ""),
        (0, "TPM", "0", "TPM"),
        (0.123456, "ratio", "0.1235", "ratio"),
        (12_345.6, "TPM", "12,346", "TPM"),
        (5.5e-38, "probability 0-1", "5.5e-38", "(probability 0-1)"),
        (True, None, "yes", ""),
        ("", None, "", ""),
        (None, "TPM", "none stated", ""),
        ([], None, "none", ""),
        ({}, None, "none", ""),
    ],
)
def test_a_value_is_formatted_for_people(value, unit, text, said_unit) -> None:
    written = write(value, "field", unit)

    assert (written.text, written.unit) == (text, said_unit)


def test_a_missing_value_looks_different_from_a_value() -> None:
    assert [write(each).is_none for each in (None, [], {}, 0, "", False)] == [
        *(True, True, True),
        *(False, False, False),
    ]


def test_another_gene_links_to_its_page_and_an_identifier_to_its_database() -> None:
    assert markup(write("HGNC:9009"), "/kidney") == (
        '<a href="/kidney/genes/HGNC:9009"><bdi>HGNC:9009</bdi></a>'
    )
    assert markup(write("OMIM:173900")) == (
        '<a href="https://omim.org/entry/173900" rel="noopener noreferrer">'
        "<bdi>OMIM:173900</bdi></a>"
    )


def test_a_report_is_named_by_its_host() -> None:
    written = write("https://search.clinicalgenome.org/kb/x", "report_url")

    assert (written.text, written.href[-5:]) == ("search.clinicalgenome.org", "/kb/x")


def test_the_number_of_an_article_has_no_commas_although_its_column_states_no_unit() -> None:
    assert write([40_000_001], "pmids").text == "40000001"


def test_each_value_of_a_list_in_a_cell_has_its_link() -> None:
    said = str(markup(write([1, 2, 3, 4, 5, 6, 7], "pmids", "PubMed id")))

    assert said.count('href="https://pubmed.ncbi.nlm.nih.gov/') == 5
    assert said.endswith(" and 2 more")


def test_a_long_text_is_split_between_words_without_loss() -> None:
    text = "word " * 400
    written = write(text)

    assert len(written.text) <= 600
    assert written.rest.startswith(" ")
    assert written.text + written.rest == text
    assert "<summary>" in markup(written)


def test_markup_and_marks_are_written_as_text() -> None:
    hostile = Value('<b>"\u202e', rest="<i>\x00", unit="<u>")

    said = markup(hostile)

    assert "&lt;b&gt;&#34;\\u202e" in said
    assert "&lt;i&gt;\\x00" in said
    assert "&lt;u&gt;" in said


def test_a_list_is_shortened_and_the_omitted_elements_are_counted() -> None:
    few, one_more, many = (cut(range(number), str, first=3, listed=5) for number in (3, 4, 1_000))

    assert (few.first, few.more) == (["0", "1", "2"], 0)
    # a link to a single further element would take as much space
    assert (one_more.first, one_more.more) == (["0", "1", "2", "3"], 0)
    assert (many.first, many.rest, many.left_out) == (["0", "1", "2"], ["3", "4"], 995)
    assert (many.more, len(many)) == (997, 1_000)


def test_code_in_a_definition_is_shown_as_code() -> None:
    assert prose("below `<roots>` or none") == "below <code>&lt;roots&gt;</code> or none"
    assert prose("plain & short") == "plain &amp; short"
