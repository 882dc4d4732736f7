import json
from pathlib import Path

import msgspec
import pytest

from app.annotation.hgnc_records import Record, read_records, read_withdrawn
from app.annotation.upstream import BadAnswer

COLUMNS = (
    "hgnc_id", "symbol", "status", "entrez_id", "ensembl_gene_id", "alias_symbol", "prev_symbol",
)  # fmt: skip


def written(folder: Path, *lines: str) -> Path:
    path = folder / "hgnc_complete_set.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_lists_are_quoted_and_rows_may_end_early(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "\t".join(COLUMNS),
        'HGNC:1\tAAA\tApproved\t10\tENSG1\t"A1|A 2 |"\tB1',
        'HGNC:2\tBBB\tApproved\t\t\t"5""-x"',
        "HGNC:3\tCCC\tApproved",
    )
    one, two, three = read_records(path)
    assert one.alias_symbol == ("A1", "A 2")
    assert one.prev_symbol == ("B1",)
    assert two.alias_symbol == ('5"-x',)
    assert two.entrez_id is None
    assert three == Record("HGNC:3", "CCC")


def test_only_the_wanted_rows_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "\t".join(COLUMNS), "HGNC:1\tA\tApproved", "HGNC:2\tB\tApproved")
    assert [record.symbol for record in read_records(path, {"HGNC:2"})] == ["B"]


@pytest.mark.parametrize(
    "lines",
    [[], ["<html>"], ["hgnc_id\tsymbol"], ["\t".join(COLUMNS), "\t".join("abcdefgh")]],
)
def test_another_file_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(BadAnswer, match="hgnc_complete_set"):
        list(read_records(written(tmp_path, *lines)))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "\t".join(COLUMNS))
    path.write_bytes(path.read_bytes() + b"HGNC:1\t\xff\n")
    with pytest.raises(BadAnswer, match="UTF-8"):
        list(read_records(path))


def test_the_head_of_the_real_file(shared_data: Path) -> None:
    records = {
        record.symbol: record
        for record in read_records(shared_data / "hgnc/hgnc_complete_set.head120.txt")
    }
    assert len(records) > 100
    aagab = records["AAGAB"]
    assert aagab.hgnc_id == "HGNC:25662"
    assert aagab.alias_symbol == ("FLJ11506", "p34")
    assert aagab.entrez_id == "79719"
    assert records["ACTR3"].gene_group == (
        "Actin related protein 2/3 complex",
        "Actin related proteins",
    )


def test_the_real_answers_of_the_service(shared_data: Path) -> None:
    body = json.loads((shared_data / "hgnc/hgnc_prev_symbol_MLL.json").read_bytes())
    (record,) = msgspec.convert(body["response"]["docs"], list[Record])
    assert record.symbol == "KMT2A"
    assert record.prev_symbol == ("MLL",)
    assert record.data()["mane_select"] == ["ENST00000534358.8", "NM_001197104.2"]
    assert "status" not in record.data()


def test_the_real_withdrawn_entries(shared_data: Path) -> None:
    gone, *merged = read_withdrawn(shared_data / "hgnc/fixtures_withdrawn.txt")
    assert (gone.symbol, gone.merged_into) == ("A12M1", ())
    assert [entry.merged_into for entry in merged] == [
        ("UBA1 (HGNC:12469)",),
        ("LRP1 (HGNC:6692)",),
    ]
