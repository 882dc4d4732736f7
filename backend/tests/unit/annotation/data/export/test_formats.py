"""The common programs read the exported files of each format."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from app.annotation.data.export.formats import FORMATS, writer_of
from app.annotation.data.export.formats.sheet import CUT, MAX_CHARACTERS
from app.annotation.data.export.order import Column, Row, Table

COLUMNS = [
    Column("symbol", "text", "The symbol."),
    Column("a.words", "text", "Words.", source="a", licence="CC0", release="July"),
    Column("a.count", "integer", "A count.", unit="variants", source="a"),
    Column("a.score", "number", "A score.", source="a"),
    Column("a.yes", "boolean", "Yes or no.", source="a"),
    Column("a.fetched_at", "time", "When.", source="a"),
    Column("a.list", "json", "A list.", source="a"),
]
NOON = datetime(2026, 3, 31, 12, 0, 0, 250_000, tzinfo=UTC)
ROWS: list[Row] = [
    ["SEPT7", "plain", 512, 0.5, True, NOON, b'["a","b"]'],
    ["MARCH1", "=1+1", -3, -1e-07, False, NOON, b'{"k":-1}'],
    ["1-Mar", "", None, None, None, None, None],
]
FORMULAS = ["=1+1", "+49", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'quoted", "", '"q" r']


def written(name: str, rows: list[Row], folder: Path, columns: list[Column] | None = None) -> bytes:
    table = Table(name, columns or COLUMNS, '{"genes": 3}', "cff-version: 1.2.0\n")
    out = io.BytesIO()
    writer = writer_of(table, out, str(folder))
    # a writer may modify its rows
    writer.write([list(row) for row in rows[:1]])
    if rows[1:]:
        writer.write([list(row) for row in rows[1:]])
    writer.close()
    return out.getvalue()


def sheet(data: bytes, name: str = "genes") -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [[cell.value for cell in row] for row in book[name].iter_rows()]


def unescaped(cell: str) -> str:
    """Restore a text cell of a TSV as documented."""
    plain = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}
    found, rest = "", cell
    while rest:
        found += plain.get(rest[:2], rest[0])
        rest = rest[2 if rest[:2] in plain else 1 :]
    return found.removeprefix("'")


def test_a_tsv_has_a_line_for_each_row(tmp_path: Path) -> None:
    assert written("tsv", ROWS, tmp_path).decode().splitlines() == [
        "symbol\ta.words\ta.count\ta.score\ta.yes\ta.fetched_at\ta.list",
        'SEPT7\tplain\t512\t0.5\ttrue\t2026-03-31T12:00:00.250000Z\t["a","b"]',
        'MARCH1\t\'=1+1\t-3\t-1e-07\tfalse\t2026-03-31T12:00:00.250000Z\t{"k":-1}',
        "1-Mar\t'\t\t\t\t\t",
    ]


def test_a_csv_is_quoted_only_where_necessary(tmp_path: Path) -> None:
    assert written("csv", ROWS, tmp_path).decode().splitlines()[1:] == [
        'SEPT7,plain,512,0.5,true,2026-03-31T12:00:00.250000Z,"[""a"",""b""]"',
        'MARCH1,\'=1+1,-3,-1e-07,false,2026-03-31T12:00:00.250000Z,"{""k"":-1}"',
        "1-Mar,',,,,,",
    ]


@pytest.mark.parametrize("name", ["tsv", "csv"])
def test_no_text_in_tsv_or_csv_is_a_formula_and_all_texts_can_be_restored(
    name: str, tmp_path: Path
) -> None:
    texts = [*FORMULAS, "a\tb\nc\\d\\n", "\\"]
    columns = [COLUMNS[0], COLUMNS[1]]
    data = written(name, [["A", text] for text in texts], tmp_path, columns)
    cells = _read(name, data)
    for text, cell in zip(texts, cells, strict=True):
        assert cell[0] not in "=+-@\t\r\n"
        assert (unescaped(cell) if name == "tsv" else cell.removeprefix("'")) == text


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1))
def test_any_text_can_be_restored(texts: list[str]) -> None:
    columns = [COLUMNS[0], COLUMNS[1]]
    rows: list[Row] = [["A", text] for text in texts]
    assert [
        unescaped(cell) for cell in _read("tsv", written("tsv", rows, Path(), columns))
    ] == texts
    read = _read("csv", written("csv", rows, Path(), columns))
    assert [cell.removeprefix("'") for cell in read] == texts
    lines = written("jsonl", rows, Path(), columns).splitlines()
    assert [json.loads(line)["a.words"] for line in lines] == texts


def _read(name: str, data: bytes) -> list[str]:
    if name == "csv":
        return [row[1] for row in csv.reader(io.StringIO(data.decode(), newline=""))][1:]
    return [line.split("\t")[1] for line in data.decode().split("\n")[1:-1]]


def test_json_lines_have_all_values_unchanged(tmp_path: Path) -> None:
    first, *_, last = map(json.loads, written("jsonl", ROWS, tmp_path).splitlines())
    assert first == {
        "symbol": "SEPT7",
        "a.words": "plain",
        "a.count": 512,
        "a.score": 0.5,
        "a.yes": True,
        "a.fetched_at": "2026-03-31T12:00:00.250000Z",
        "a.list": ["a", "b"],
    }
    assert list(last.values()) == ["1-Mar", "", *[None] * 5]


def test_parquet_has_types_and_describes_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "genes.parquet"
    file.write_bytes(written("parquet", ROWS, tmp_path))
    table = pq.read_table(file)
    assert [str(field.type) for field in table.schema] == [
        *("string", "string", "int64", "double", "bool", "timestamp[us, tz=UTC]", "string")
    ]
    cells = [list(row.values()) for row in table.to_pylist()]
    assert [row[:6] for row in cells] == [row[:6] for row in ROWS]
    assert [row[6] for row in cells] == ['["a","b"]', '{"k":-1}', None]
    about = table.schema.metadata
    assert json.loads(about[b"manifest"]) == {"genes": 3}
    assert about[b"citation"] == b"cff-version: 1.2.0\n"
    described = json.loads(about[b"columns"])
    assert [each["name"] for each in described] == [column.name for column in COLUMNS]
    assert described[2]["unit"] == "variants"
    assert table.schema.field("a.words").metadata == {
        b"type": b"text",
        b"definition": b"Words.",
        b"source": b"a",
        b"licence": b"CC0",
        b"release": b"July",
    }


def test_a_parquet_file_without_rows_has_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "genes.parquet"
    file.write_bytes(written("parquet", [], tmp_path))
    assert pq.read_table(file).shape == (0, len(COLUMNS))


def test_a_workbook_has_text_as_text_and_numbers_as_numbers(tmp_path: Path) -> None:
    rows: list[Row] = [*ROWS, *([text, text, 1, 1.0, None, None, None] for text in FORMULAS)]
    data = written("xlsx", rows, tmp_path)
    found = sheet(data)
    assert found[0] == [column.name for column in COLUMNS]
    assert found[1] == [
        "SEPT7",
        "plain",
        512,
        0.5,
        True,
        "2026-03-31T12:00:00.250000Z",
        '["a","b"]',
    ]
    assert found[2][:5] == ["MARCH1", "=1+1", -3, -1e-07, False]
    # openpyxl reads an empty text as no value, and does not decode escaped control characters
    assert [unescape(row[0] or "") for row in found[4:]] == FORMULAS
    book = openpyxl.load_workbook(io.BytesIO(data))
    for row in book["genes"].iter_rows(min_row=2):
        for cell in row[:2]:
            assert cell.data_type != "f"
            assert cell.value is None or cell.data_type == "s"
        assert row[0].number_format == "@"


def test_a_workbook_has_the_dictionary_and_the_manifest_in_separate_sheets(
    tmp_path: Path,
) -> None:
    data = written("xlsx", ROWS, tmp_path)
    header, *lines = sheet(data, "columns")
    named = [dict(zip(header, line, strict=True)) for line in lines]
    assert [line["column"] for line in named] == [column.name for column in COLUMNS]
    assert named[1] == {
        "column": "a.words",
        "type": "text",
        "unit": None,
        "definition": "Words.",
        "source": "a",
        "licence": "CC0",
        "attribution": None,
        "release": "July",
    }
    assert sheet(data, "about") == [["genes", "3"], ["citation", "cff-version: 1.2.0"]]


@pytest.mark.parametrize("letter", ["x", "\N{DNA DOUBLE HELIX}"])
def test_a_text_that_is_too_long_for_a_cell_is_cut_visibly(letter: str, tmp_path: Path) -> None:
    columns = [COLUMNS[0], COLUMNS[6]]
    long, fits = f'["{letter * 40_000}"]', "x" * MAX_CHARACTERS
    rows: list[Row] = [["A", long.encode()], ["B", fits.encode()]]
    cut, whole = (row[1] for row in sheet(written("xlsx", rows, tmp_path, columns))[1:])
    assert cut.endswith(CUT)
    assert long.startswith(cut.removesuffix(CUT))
    assert MAX_CHARACTERS - 1 <= len(cut.encode("utf-16-le")) // 2 <= MAX_CHARACTERS
    assert whole == fits


def test_an_integer_that_a_spreadsheet_would_round_is_text(tmp_path: Path) -> None:
    rows: list[Row] = [["A", 2**53], ["B", 2**53 + 1]]
    found = sheet(written("xlsx", rows, tmp_path, [COLUMNS[0], COLUMNS[2]]))
    assert [row[1] for row in found[1:]] == [2**53, "9007199254740993"]


def test_a_workbook_holds_text_that_xml_cannot(tmp_path: Path) -> None:
    texts = ["a\x01b", "_x0041_", "<&>\"'", "\ufffe\uffff", " space "]
    rows: list[Row] = [["A", text] for text in texts]
    found = sheet(written("xlsx", rows, tmp_path, COLUMNS[:2]))
    assert [unescape(row[1]) for row in found[1:]] == texts


@pytest.mark.parametrize("name", FORMATS)
def test_a_writer_does_not_need_a_seekable_file(name: str, tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, write: Callable[[bytes], object]) -> None:
            self._write = write

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self._write(bytes(data))
            return len(data)

    parts: list[bytes] = []
    table = Table(name, COLUMNS, "{}", "")
    out = io.BufferedWriter(Pipe(parts.append))
    writer = writer_of(table, out, str(tmp_path))
    writer.write([list(row) for row in ROWS])
    writer.close()
    out.flush()
    assert parts
    if name == "parquet":
        assert pq.read_table(io.BytesIO(b"".join(parts))).num_rows == len(ROWS)
