from datetime import date, datetime, time
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from app.annotation.own_tables import reading, workbook
from app.annotation.own_tables.reading import OwnFile, read_own_file
from app.core.errors import WrongUse


def known(name: str) -> bool:
    return name.upper() in {"PKD1", "PKD2", "NPHS1", "SEPT2"}


def read(tmp_path: Path, text: str, name: str = "panel.tsv") -> OwnFile:
    path = tmp_path / name
    path.write_text(text)
    return read_own_file(path, known)


def saved(tmp_path: Path, *rows: list[object]) -> Path:
    book = openpyxl.Workbook()
    assert book.active
    for row in rows:
        book.active.append(row)
    path = tmp_path / "panel.xlsx"
    book.save(path)
    return path


def test_the_columns_are_kept_and_columns_of_numbers_have_numbers(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "gene\tscore\tomim\tdate\tnote\n"
        "PKD1\t1\t0173900\t2026-01-02\tautosomal dominant\n"
        "PKD2\t-2.5e-3\t173910\t1/2/26\tNA\n"
        "NPHS1\t\t\t\t\n",
    )
    assert file.columns == {
        "gene": "text", "score": "number", "omim": "text", "date": "text", "note": "text",
    }  # fmt: skip
    assert [data for _, data in file.rows] == [
        {"gene": "PKD1", "score": 1, "omim": "0173900", "date": "2026-01-02",
         "note": "autosomal dominant"},
        {"gene": "PKD2", "score": -0.0025, "omim": "173910", "date": "1/2/26", "note": None},
        {"gene": "NPHS1", "score": None, "omim": None, "date": None, "note": None},
    ]  # fmt: skip
    assert [row.symbol for row, _ in file.rows] == ["PKD1", "PKD2", "NPHS1"]


def test_a_csv_file_of_a_spreadsheet_is_read_like_a_gene_list(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        '\ufeffsep=;\n"HGNC ID";"Panel name"\nHGNC:9008;"a; b"\n9009.0;"two\nlines"\n',
        "panel.csv",
    )
    assert [row.hgnc_id for row, _ in file.rows] == ["HGNC:9008", "HGNC:9009"]
    assert [data["Panel name"] for _, data in file.rows] == ["a; b", "two\nlines"]


def test_a_workbook_is_read_with_values_and_dates_as_displayed(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        ["gene", "n", "day", "at", "flag", "text"],
        ["PKD1", 3.0, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4), True, "#N/A"],  # noqa: DTZ001
        [],
        ["PKD2", 0.5, datetime(2026, 1, 3), time(5, 6), None, " x "],  # noqa: DTZ001
    )
    file = read_own_file(path, known)
    assert [data for _, data in file.rows] == [
        {"gene": "PKD1", "n": 3, "day": "2026-01-02", "at": "2026-01-02 03:04:00", "flag": "TRUE",
         "text": None},
        {"gene": "PKD2", "n": 0.5, "day": "2026-01-03", "at": "05:06:00", "flag": None,
         "text": "x"},
    ]  # fmt: skip
    assert [row.line for row, _ in file.rows] == [2, 4]


def test_a_formula_is_read_as_its_stored_value_and_refused_without_one(
    tmp_path: Path,
) -> None:
    path = saved(tmp_path, ["gene", "n"], ["PKD1", "=1+1"])
    with pytest.raises(WrongUse, match=r"row 2: the formula =1\+1 has no value"):
        read_own_file(path, known)
    stored = tmp_path / "stored.xlsx"
    with ZipFile(path) as before, ZipFile(stored, "w") as after:
        for part in before.infolist():
            after.writestr(part, before.read(part).replace(b"<v />", b"<v>2</v>"))
    assert [data["n"] for _, data in read_own_file(stored, known).rows] == [2]


def test_a_workbook_that_is_too_large_decompressed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 1_000_000)
    path = tmp_path / "bomb.xlsx"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b" " * 2_000_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(WrongUse, match="2,000,000 bytes decompressed"):
        read_own_file(path, known)


def test_a_sheet_that_claims_a_size_and_has_a_cell_far_away_is_bounded(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active
    book.active["A1"] = "gene"
    book.active["XFD2"] = "far away"
    path = tmp_path / "wide.xlsx"
    book.save(path)
    with pytest.raises(WrongUse, match="row 2: 16,384 cells"):
        read_own_file(path, known)


@pytest.mark.parametrize("content", [b"no zip at all", b"PK\x03\x04 cut"])
def test_a_file_that_is_not_a_workbook_is_refused_with_a_remedy(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "old.xlsx"
    path.write_bytes(content)
    with pytest.raises(WrongUse, match="cannot be read as an XLSX workbook") as error:
        read_own_file(path, known)
    assert "CSV" in error.value.remedy


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no rows below the header"),
        ("gene\tn\n", "no rows below the header"),
        ("PKD1\nPKD2\n", "no rows below the header"),
        ("a\tb\nx\ty\n", "no column for genes"),
        ("gene\tn\tn\nPKD1\t1\t2\n", "two columns have the name 'n'"),
        ("gene\tn\nPKD1\t1\t2\nPKD2\t1\n", "line 2: 3 cells, and 2 columns have a name"),
        ("gene\tn\nPKD1\t" + "x" * 5_001 + "\n", "line 2: a cell has 5,001 characters"),
        ("gene\t" + "x" * 101 + "\nPKD1\t1\n", "column 2 has 101 characters"),
        ("gene" + "\t" * 300 + "\nPKD1\n", "301 columns"),
    ],
)
def test_an_unusable_table_is_refused_with_the_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(WrongUse, match=problem):
        read(tmp_path, text)


def test_a_table_with_too_many_rows_or_bytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    with pytest.raises(WrongUse, match="3 rows"):
        read(tmp_path, "gene\tn\n" + "PKD1\t1\n" * 3)
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    with pytest.raises(WrongUse, match="at most 10 bytes"):
        read(tmp_path, "gene\tn\nPKD1\t1\n")
