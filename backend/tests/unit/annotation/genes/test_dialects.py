"""Reading of gene lists written by R, pandas, Excel and BioMart."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.annotation.genes.columns import Row, read_rows
from app.annotation.genes.files import read_gene_file
from app.core.errors import WrongUse

Cells = Sequence[str | None]
Writer = Callable[[Cells, Sequence[Cells]], bytes]


def table(delimiter: str, rows: Sequence[Cells], missing: str, *, quoted: bool = False) -> str:
    """Write with Python's csv module, which pandas uses."""
    file = io.StringIO()
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    writer.writerows([missing if cell is None else cell for cell in row] for row in rows)
    return file.getvalue()


def pandas_csv(header: Cells, rows: Sequence[Cells]) -> bytes:
    """``DataFrame.to_csv(path)``: an index without a name, empty cells for missing values."""
    numbered = [[str(at), *row] for at, row in enumerate(rows)]
    return table(",", [["", *header], *numbered], "").encode()


def pandas_tsv(header: Cells, rows: Sequence[Cells]) -> bytes:
    """``to_csv(path, sep="\\t", index=False, na_rep="NaN", quoting=csv.QUOTE_ALL)``."""
    return table("\t", [header, *rows], "NaN", quoted=True).encode()


def excel_csv(header: Cells, rows: Sequence[Cells]) -> bytes:
    """*CSV UTF-8* where a comma is the decimal mark; blank rows at the end are common."""
    blank = [[""] * len(header)] * 2
    return table(";", [header, *rows, *blank], "").replace("\n", "\r\n").encode("utf-8-sig")


def excel_csv_that_names_its_delimiter(header: Cells, rows: Sequence[Cells]) -> bytes:
    return ("sep=;\r\n" + table(";", [header, *rows], "#N/A")).encode()


def excel_text(header: Cells, rows: Sequence[Cells]) -> bytes:
    """*Unicode text*: tabs, UTF-16 with a byte order mark."""
    return table("\t", [header, *rows], "").replace("\n", "\r\n").encode("utf-16")


def r(cell: str | None, *, escape: str) -> str:
    return "NA" if cell is None else '"' + cell.replace('"', escape + '"') + '"'


def r_write_csv(header: Cells, rows: Sequence[Cells]) -> bytes:
    """``write.csv(frame, path)``: row names under an empty name, quotes doubled."""
    numbered = [[str(at), *row] for at, row in enumerate(rows, 1)]
    lines = [["", *header], *numbered]
    return "".join(",".join(r(c, escape='"') for c in row) + "\n" for row in lines).encode()


def r_write_table(header: Cells, rows: Sequence[Cells]) -> bytes:
    """``write.table(frame, path)``: blanks, row names that the header does not count."""
    return _r_table(header, rows, " ")


def r_write_table_tabs(header: Cells, rows: Sequence[Cells]) -> bytes:
    """``write.table(frame, path, sep = "\\t")``."""
    return _r_table(header, rows, "\t")


def _r_table(header: Cells, rows: Sequence[Cells], delimiter: str) -> bytes:
    lines = [header, *([str(at), *row] for at, row in enumerate(rows, 1))]
    return "".join(delimiter.join(r(c, escape="\\") for c in row) + "\n" for row in lines).encode()


def r_write_table_plain(header: Cells, rows: Sequence[Cells]) -> bytes:
    """``write.table(frame, path, sep = "\\t", quote = FALSE, row.names = FALSE)``."""
    lines = [["NA" if cell is None else cell for cell in row] for row in (header, *rows)]
    return "".join("\t".join(row) + "\n" for row in lines).encode()


def commented(header: Cells, rows: Sequence[Cells]) -> bytes:
    return b"## made by a script, 2024\n# symbol: of HGNC\n" + r_write_table_plain(header, rows)


WRITERS: list[Writer] = [
    pandas_csv, pandas_tsv, excel_csv, excel_csv_that_names_its_delimiter, excel_text,
    r_write_csv, r_write_table, r_write_table_tabs, r_write_table_plain, commented,
]  # fmt: skip
UNQUOTED = {r_write_table_plain, commented}

symbols = st.from_regex(r"[A-Z][A-Z0-9]{2,9}(-[A-Z0-9]{1,3})?", fullmatch=True).filter(
    lambda symbol: symbol.lower() not in {"null", "none", "nan"}
)
ids = st.integers(1, 99_999).map(lambda number: f"HGNC:{number}")
genes = st.one_of(st.tuples(symbols, ids), st.tuples(st.none(), ids), st.tuples(symbols, st.none()))
plain_notes = st.text("abc,; .'/()[]", max_size=12)
# R escapes quotes but not backslashes, so its output for these two is ambiguous
notes = st.text("abc,; .'/()[]\"\\é", max_size=12).filter(
    lambda text: '\\"' not in text and not text.endswith("\\")
)


def read(folder: Path, content: bytes, suffix: str = ".txt") -> list[Row]:
    path = folder / f"genes{suffix}"
    path.write_bytes(content)
    return read_rows(read_gene_file(path), lambda _: True)[0]


def named(rows: Sequence[Row]) -> list[tuple[str | None, str | None]]:
    return [(row.symbol, row.hgnc_id) for row in rows]


@pytest.mark.parametrize("write", WRITERS)
@given(data=st.data())
@settings(max_examples=20)
def test_genes_are_read_from_the_output_of_every_writer(
    write: Writer, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wanted = data.draw(st.lists(genes, min_size=1, max_size=8))
    about = data.draw(
        st.lists(
            plain_notes if write in UNQUOTED else notes,
            min_size=len(wanted),
            max_size=len(wanted),
        )
    )
    names = data.draw(st.permutations(["symbol", "hgnc_id", "note, or remark"]))
    cells = [
        dict(zip(["symbol", "hgnc_id", "note, or remark"], (*gene, note), strict=True))
        for gene, note in zip(wanted, about, strict=True)
    ]
    content = write(names, [[row[name] for name in names] for row in cells])
    assert named(read(tmp_path_factory.mktemp("any"), content)) == wanted


@pytest.mark.parametrize("write", WRITERS)
@given(wanted=st.lists(symbols, min_size=1, max_size=8))
@settings(max_examples=15)
def test_a_single_column_is_read_from_the_output_of_every_writer(
    write: Writer, wanted: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = write(["symbol"], [[symbol] for symbol in wanted])
    assert [row.symbol for row in read(tmp_path_factory.mktemp("any"), content)] == wanted


@pytest.mark.parametrize("write", WRITERS)
def test_the_real_kidney_genes_are_read_from_the_output_of_every_writer(
    write: Writer, shared_data: Path, tmp_path: Path
) -> None:
    lines = (shared_data / "genes/kidney_genes.tsv").read_text().splitlines()
    header, *rows = (line.split("\t") for line in lines)
    found = read(tmp_path, write(header, rows))
    assert named(found) == [(symbol, hgnc_id) for symbol, hgnc_id in rows]


def test_row_names_that_are_gene_ids_are_read(tmp_path: Path) -> None:
    """``write.csv(results, path)`` of DESeq2 and similar packages."""
    content = '"","baseMean","pvalue"\n"ENSG00000008710.20",5.1,NA\n"ENSG00000118762",1,0.5\n'
    found = read(tmp_path, content.encode(), ".csv")
    assert [row.ensembl_gene_id for row in found] == ["ENSG00000008710", "ENSG00000118762"]


def test_row_numbers_are_not_read_as_genes(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no column for genes among"):
        read(tmp_path, b",value\n1,2\n2,3\n", ".csv")


def test_an_export_of_biomart_is_read(tmp_path: Path) -> None:
    header = [
        "Gene stable ID", "Gene stable ID version", "HGNC ID", "HGNC symbol",
        "NCBI gene (formerly Entrezgene) ID", "Gene description",
    ]  # fmt: skip
    row = [
        "ENSG00000008710", "ENSG00000008710.20", "HGNC:HGNC:9008", "PKD1", "5310",
        "polycystin 1, transient receptor [Source:HGNC Symbol;Acc:HGNC:9008]",
    ]  # fmt: skip
    novel = ["ENSG00000310526", "ENSG00000310526.1", "", "", "", "novel transcript"]
    lines = ["\t".join(cells) for cells in (header, row, novel)]
    found = read(tmp_path, "\n".join(lines).encode())
    assert found == [
        Row(2, "HGNC:9008", "PKD1", "5310", "ENSG00000008710"),
        Row(3, None, None, None, "ENSG00000310526"),
    ]


def test_a_note_over_several_lines_is_one_cell(tmp_path: Path) -> None:
    content = b'"Gene\nsymbol";note\r\nPKD1;"one\r\ntwo"\r\nPKD2;x\r\n'
    assert [(row.line, row.symbol) for row in read(tmp_path, content)] == [(3, "PKD1"), (5, "PKD2")]


def test_an_unclosed_quote_is_refused_with_its_line(tmp_path: Path) -> None:
    for content in (
        b'symbol\tnote\nPKD1\t"x\nPKD2\ty"\n',
        b'note\tsymbol\n"x\tPKD1\ny"\tPKD2\n',
        b'symbol\n"PKD1\nPKD2"\n',
    ):
        with pytest.raises(WrongUse, match="line 2: a quote is not closed"):
            read(tmp_path, content)


def test_a_cell_protected_from_excels_conversion_is_read(tmp_path: Path) -> None:
    content = b'symbol,note\n"=""MARCHF1""",x\n="SEPTIN2",y\nNKX2\xe2\x80\x911,z\n'
    assert [row.symbol for row in read(tmp_path, content)] == ["MARCHF1", "SEPTIN2", "NKX2-1"]


def test_a_rounded_number_is_not_read_as_an_id(tmp_path: Path) -> None:
    content = b"entrez_id,symbol\n1e+05,A\n1.00287E+08,B\n5310.5,C\n"
    assert [row.entrez_id for row in read(tmp_path, content)] == ["100000", None, None]
