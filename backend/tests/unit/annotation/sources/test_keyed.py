from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.keyed import Grouped, Key, ReaderRequest, reading
from app.annotation.sources.structure import MOVES, definitions, json_schema, unit
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Count
from app.annotation.upstream.bulk_files.tables import read_rows, read_table

PKD1 = Gene(1, "HGNC:9008", "PKD1", "ENSG00000008710", "5310")
TSC2 = Gene(2, "HGNC:12363", "TSC2", "ENSG00000103197", "7249", ("TSC4",), ("LAM",))
NAMELESS = Gene(3, "HGNC:1", "NAMELESS")


class Inner(msgspec.Struct):
    """A part."""

    share: Annotated[float, unit("ratio"), MOVES]
    """A share, from 0 to 1."""


class Data(msgspec.Struct):
    """What a table says."""

    values: list[str]
    """The values, in the order of the file."""

    part: Inner | None = None
    """A part of
    two lines."""


def answers(rows: list[tuple[str, str]], by: Key) -> list[Any]:
    asked = msgspec.to_builtins({"genes": [PKD1, TSC2, NAMELESS]})
    grouped = Grouped[str](ReaderRequest.of(asked), by)
    for key, value in rows:
        grouped.add(key, value)
    said = reading([grouped], Data)
    found = (each for part in said.parts for each in part)
    return [each.values if isinstance(each, Data) else each for each in found]


def test_rows_are_grouped_by_gene_whatever_their_order() -> None:
    rows = [("7249", "a"), ("5310", "b"), ("7249", "c"), ("1", "d")]

    assert answers(rows, "entrez_id")[:2] == [["b"], ["a", "c"]]


def test_a_gene_without_rows_is_absent_and_one_without_the_identifier_is_unknown() -> None:
    assert answers([("5310", "b")], "entrez_id") == [
        ["b"],
        None,
        "the gene has no Entrez id, by which the source identifies genes",
    ]


def test_a_former_symbol_finds_its_gene_only_if_it_means_no_other_one() -> None:
    assert answers([("TSC4", "a")], "symbol") == [None, ["a"], None]
    assert answers([("TSC4", "a"), ("TSC2", "b")], "symbol") == [None, ["b"], None]
    assert answers([("LAM", "a")], "symbol") == [
        None,
        "the source has LAM, which may be this gene or another one",
        None,
    ]


def test_a_gene_is_unknown_if_one_of_several_files_cannot_identify_it() -> None:
    asked = ReaderRequest([NAMELESS])
    by_symbol, by_entrez = Grouped[str](asked, "symbol"), Grouped[str](asked, "entrez_id")
    by_symbol.add("NAMELESS", "a")

    (part,) = reading([by_symbol, by_entrez], lambda first, _: Data(first)).parts
    assert part == ["the gene has no Entrez id, by which the source identifies genes"]


def test_genes_are_counted_if_one_of_their_rows_has_data() -> None:
    grouped = Grouped[str](ReaderRequest([PKD1]), "symbol")
    grouped.add("PKD1", "0", says_something=False)
    grouped.add("TTN", "0", says_something=False)
    grouped.add("TTN", "1")

    assert grouped.size == Count(rows=3, genes=1)


def test_fields_are_described_by_the_docstrings_below_them() -> None:
    assert definitions(Data) == {
        "values": "The values, in the order of the file.",
        "part": "A part of two lines.",
    }
    schema = json_schema(Data)["$defs"]
    assert schema["Inner"]["properties"]["share"] == {
        "type": "number",
        "description": "A share, from 0 to 1.",
        "unit": "ratio",
        "moves": True,
    }


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a\tb\n1\t2\n", {}),
        ("#a\tb\n1\t2\n", {}),
        ("#a banner\n#of two lines\na\tb\n1\t2\n", {"lines_before": 2}),
        ('banner\n"a","b"\n1,2\n', {"lines_before": 3, "separator": ",", "quoted": True}),
        ('"a","b"\n"1","2"\n', {"separator": ",", "quoted": True}),
        ("\nbanner\n\na,b\n1,2\n", {"lines_before": 3, "separator": ",", "quoted": True}),
    ],
)
def test_a_table_is_read_from_the_line_that_has_its_columns(
    tmp_path: Path, text: str, options: dict[str, Any]
) -> None:
    path = tmp_path / "table.txt"
    path.write_text(text)

    assert [line.values for line in read_table(path, ("b", "a"), **options)] == [("2", "1")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "table.txt has no column a, b"),
        ("a\tc\n", "table.txt has no column b"),
        ("banner\na\tc\nx\n", "table.txt has no column b"),
        ("a\tb\ta\n1\t2\t3\n", "table.txt has the column a more than once"),
        ("a\tb\n1\n", "line 2: 1 fields in 2 columns"),
        ("a\tb\n1\t2\t3\n", "line 2: 3 fields in 2 columns"),
    ],
)
def test_a_table_that_lacks_a_column_or_a_field_is_unusable(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "table.txt"
    path.write_text(text)

    with pytest.raises(UnusableFile, match=message):
        list(read_table(path, ("a", "b"), lines_before=1))


def test_an_unclosed_quote_is_unusable(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('"a","b\n')

    with pytest.raises(UnusableFile, match="is not a CSV file"):
        list(read_rows(path, separator=",", quoted=True))


def test_a_reader_may_say_why_an_answer_is_unknown() -> None:
    asked = msgspec.to_builtins({"genes": [PKD1, TSC2]})
    grouped = Grouped[str](ReaderRequest.of(asked), "entrez_id")
    grouped.add("5310", "a")

    said = reading([grouped], lambda _: "half of the answer is missing")

    assert [each for part in said.parts for each in part] == ["half of the answer is missing", None]


def test_rows_of_a_gene_that_was_merged_belong_to_its_successor() -> None:
    successor = Gene(4, "HGNC:5", "NEW", merged_hgnc_ids=("HGNC:3", "HGNC:4"))
    grouped = Grouped[str](ReaderRequest([successor, PKD1]), "hgnc_id")
    for key in ("HGNC:3", "HGNC:5", "HGNC:9008", "HGNC:2"):
        grouped.add(key, key)

    assert grouped.find(successor) == ["HGNC:5", "HGNC:3"]
    assert grouped.find(PKD1) == ["HGNC:9008"]
