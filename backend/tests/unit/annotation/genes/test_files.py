import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.annotation.genes.columns import ReadColumn, Row, read_rows
from app.annotation.genes.files import read_gene_file
from app.annotation.genes.names import Names
from app.annotation.sources.hgnc.records import APPROVED, Record
from app.core.errors import WrongUse


def written(folder: Path, content: str | bytes, name: str = "genes.tsv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


NAMES = Names(
    [
        Record("HGNC:9008", "PKD1", APPROVED, entrez_id="5310", ensembl_gene_id="ENSG00000008710"),
        Record("HGNC:9009", "PKD2", APPROVED, entrez_id="5311", ensembl_gene_id="ENSG00000118762"),
        Record("HGNC:12559", "UMOD", APPROVED, entrez_id="7369", ensembl_gene_id="ENSG00000169344"),
        Record("HGNC:12403", "TTN", APPROVED),
    ],
    [],
)


def rows(path: Path) -> list[Row]:
    return read_rows(read_gene_file(path), NAMES.is_symbol)[0]


def columns(path: Path) -> list[ReadColumn]:
    return read_rows(read_gene_file(path), NAMES.is_symbol)[1]


PKD1 = Row(2, "HGNC:9008", "PKD1")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("g.tsv", "symbol\thgnc_id\nPKD1\tHGNC:9008\n"),
        ("g.tsv", "\ufeffHGNC ID\tApproved symbol\nHGNC:9008\tPKD1\n"),
        ("g.csv", 'hgnc_id,gene,comment\nhgnc:9008,PKD1,"a, b"\n'),
        ("g.csv", '"HGNC ID";"Gene symbol"\r\n9008;"PKD1"\r\n'),
        ("g.txt", "#Symbol\tother\tHGNC\nPKD1\tx\tHGNC:9008"),
        ("g.tsv", "note\tgene_symbol\thgnc-id\n\tPKD1\t HGNC:9008 \textra\n\n"),
    ],
)
def test_columns_are_found_by_name(tmp_path: Path, name: str, content: str) -> None:
    assert rows(written(tmp_path, content, name)) == [PKD1]


def test_a_bare_column_needs_no_header(tmp_path: Path) -> None:
    path = written(tmp_path, "PKD1\n\nHGNC:1\nC1orf112\n")
    assert rows(path) == [
        Row(1, None, "PKD1"),
        Row(3, "HGNC:1"),
        Row(4, None, "C1orf112"),
    ]


def test_symbols_in_a_column_of_ids_are_read_as_symbols(tmp_path: Path) -> None:
    path = written(tmp_path, "hgnc\nPKD1\nHGNC:1\n12\n")
    assert rows(path) == [Row(2, None, "PKD1"), Row(3, "HGNC:1"), Row(4, "HGNC:12")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_accepted(tmp_path: Path, end: str) -> None:
    content = end.join(("symbol,note", '"PKD1",x', "", "TTN,y"))
    assert rows(written(tmp_path, content, "g.csv")) == [
        Row(2, None, "PKD1"),
        Row(4, None, "TTN"),
    ]


def test_a_row_without_a_gene_is_kept_to_be_reported(tmp_path: Path) -> None:
    path = written(tmp_path, "symbol\tnote\n\tx\nPKD1\ty\n")
    assert [row.text for row in rows(path)] == ["nothing", "PKD1"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "no gene"),
        ("\n \n", "no gene"),
        ("symbol\n", "no gene"),
        (b"symbol\nM\xfcller\n", "line 2: byte 0xfc is not UTF-8"),
        (b"symbol\nA\nB\n\x00\x01\x02\n", "line 4: binary"),
        ("symbol\nA\n".encode("utf-16-le"), "line 1: binary"),
        ("symbol\nA\n".encode("utf-16")[:-1], "begins as UTF-16 but is not UTF-16"),
        (b"PK\x03\x04\x14\x00\x06\x00", "line 1: binary"),
        ("symbol\nA\n" + "x" * 1_000_000, "line 3: longer than"),
        ('symbol\tnote\nA\t"open\nB\tx\n', "line 2: a quote is not closed"),
        ('symbol\tnote\nA\t"a"b\n', "line 2: there is text after a closing quote"),
        ("Symbol\tnote\tsymbol\nA\tx\tB\n", "2 columns have the name symbol"),
        ("name\tvalue\nPKD1\t1\n", "no column for genes among name, value"),
    ],
)
def test_an_error_names_the_line_of_bad_input(
    tmp_path: Path, content: str | bytes, problem: str
) -> None:
    with pytest.raises(WrongUse, match=problem) as refused:
        rows(written(tmp_path, content))
    assert refused.value.allowed or refused.value.remedy


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="No such file"):
        read_gene_file(tmp_path / "none.tsv")
    with pytest.raises(WrongUse, match="directory"):
        read_gene_file(tmp_path)


def test_the_real_list_of_kidney_genes_is_read(shared_data: Path) -> None:
    found = rows(shared_data / "genes/kidney_genes.tsv")
    assert len(found) == 3066
    assert found[0] == Row(2, "HGNC:74", "ABCG2")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = written(tmp_path_factory.mktemp("any"), content)
    with contextlib.suppress(WrongUse):
        assert rows(path)


PARTS = [
    *("symbol", "hgnc_id", "gene_id", "PKD1", "HGNC:1", "12", "1e+05", "ENSG00000008710", "NA"),
    *(
        "#",
        "sep=;",
        'sep="',
        "\t",
        ",",
        ";",
        " ",
        '"',
        '\\"',
        "\\",
        "\n",
        "\r\n",
        "\ufeff",
        "-",
        "",
    ),
]


@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join))
def test_any_table_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    path = written(tmp_path_factory.mktemp("any"), content)
    with contextlib.suppress(WrongUse):
        assert rows(path)


symbols = st.from_regex(r"[A-Z][A-Z0-9]{0,9}(-[A-Z0-9]{1,3})?", fullmatch=True)


@given(st.lists(symbols, min_size=1), st.sampled_from(["\t", ",", ";"]), st.booleans())
def test_symbols_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory,
    names: list[str],
    delimiter: str,
    bom: bool,  # noqa: FBT001
) -> None:
    lines = [delimiter.join(("note", "symbol")), *(delimiter.join(("", name)) for name in names)]
    content = "\n".join(lines).encode("utf-8-sig" if bom else "utf-8")
    found = rows(written(tmp_path_factory.mktemp("any"), content))
    assert [row.symbol for row in found] == names
    assert [row.line for row in found] == list(range(2, len(names) + 2))
