import json
from pathlib import Path

import msgspec
import pytest

from app.annotation.sources.hgnc.records import FIELDS, Record, read_records, read_withdrawn
from app.annotation.upstream import BadAnswer

COLUMNS = (
    "hgnc_id", "symbol", "status", "name", "locus_group", "locus_type", "location", "entrez_id",
    "ensembl_gene_id", "alias_symbol", "prev_symbol", "omim_id", "uniprot_ids",
    "refseq_accession", "mane_select", "gene_group",
)  # fmt: skip
PLACE = "name\tprotein-coding gene\tgene with protein product\t1p36"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "hgnc_complete_set.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_lists_are_quoted_and_rows_may_end_early(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "\t".join(COLUMNS),
        f'HGNC:1\tAAA\tApproved\t{PLACE}\t10\tENSG1\t"A1|A 2 |"\tB1',
        f'HGNC:2\tBBB\tApproved\t{PLACE}\t\t\t"5""-x"',
        "HGNC:3\tCCC\tApproved",
    )
    one, two, three = read_records(path)
    assert one.alias_symbol == ("A1", "A 2")
    assert one.prev_symbol == ("B1",)
    assert two.alias_symbol == ('5"-x',)
    assert two.entrez_id is None
    assert three == Record("HGNC:3", "CCC", "Approved")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["<html>"],
        ["hgnc_id\tsymbol"],
        ["\t".join(COLUMNS), "\t".join("HGNC:1abcdefghijklmnop")],
        ["\t".join(COLUMNS), "1\tAAA\tApproved"],
        ["\t".join(COLUMNS), "HGNC:1\t\tApproved"],
        ["\t".join(COLUMNS), "HGNC:1\tAAA\t\tname"],
    ],
)
def test_a_different_file_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(BadAnswer, match="hgnc_complete_set"):
        list(read_records(written(tmp_path, *lines)))


@pytest.mark.parametrize("renamed", COLUMNS)
def test_the_error_names_a_missing_column(tmp_path: Path, renamed: str) -> None:
    columns = [f"new_{name}" if name == renamed else name for name in COLUMNS]
    with pytest.raises(BadAnswer, match=f"no column {renamed}$"):
        list(read_records(written(tmp_path, "\t".join(columns), "HGNC:1\tAAA\tApproved")))


def test_a_file_truncated_inside_a_row_is_refused(tmp_path: Path) -> None:
    row = f"HGNC:1\tAAA\tApproved\t{PLACE}\t10\tENSG1\tA1\tB1\t607\tP1\tNM_1\tENST1\tKinases"
    path = written(tmp_path, "\t".join(COLUMNS), row)
    whole = path.read_bytes()
    for end in range(len(whole) - len(row), len(whole) - len("\tKinases\n")):
        path.write_bytes(whole[:end])
        with pytest.raises(BadAnswer, match="line 2"):
            list(read_records(path))


def test_a_withdrawn_file_without_the_merged_into_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "withdrawn.txt"
    path.write_text("HGNC_ID\tSTATUS\tWITHDRAWN_SYMBOL\nHGNC:6\tMerged/Split\tA1S9T\n")
    with pytest.raises(BadAnswer, match="MERGED_INTO"):
        list(read_withdrawn(path))


def test_bytes_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "\t".join(COLUMNS))
    path.write_bytes(path.read_bytes() + b"HGNC:1\t\xff\n")
    with pytest.raises(BadAnswer, match="UTF-8"):
        list(read_records(path))


def test_the_head_of_the_real_file_is_read(shared_data: Path) -> None:
    path = shared_data / "hgnc/hgnc_complete_set.2026-09.head.txt"
    records = {record.symbol: record for record in read_records(path)}
    a2m = records["A2M"]
    assert a2m.hgnc_id == "HGNC:7"
    assert a2m.alias_symbol == ("FWP007", "S863-7", "CPAMD5")
    assert a2m.entrez_id == "2"
    assert a2m.mane_select == ("ENST00000318602.12", "NM_000014.6")
    assert records["AAR2"].prev_symbol == ("C20orf4",)
    assert not any(record.lacking() for record in records.values())


def test_rows_of_an_old_real_file_are_read(shared_data: Path, tmp_path: Path) -> None:
    old = (shared_data / "hgnc/hgnc_complete_set.head120.txt").read_text()
    path = tmp_path / "hgnc_complete_set.txt"
    head, rows = old.replace("gene_family", "gene_group", 1).split("\n", 1)
    path.write_text(f"{head}\tmane_select\n{rows}")
    records = {record.symbol: record for record in read_records(path)}
    assert len(records) > 100
    assert records["ACTR3"].gene_group == (
        "Actin related protein 2/3 complex",
        "Actin related proteins",
    )


def test_the_real_answers_of_the_service_are_read(shared_data: Path) -> None:
    body = json.loads((shared_data / "hgnc/hgnc_prev_symbol_MLL.json").read_bytes())
    (record,) = msgspec.convert(body["response"]["docs"], list[Record])
    assert record.symbol == "KMT2A"
    assert record.prev_symbol == ("MLL",)
    assert record.data()["mane_select"] == ["ENST00000534358.8", "NM_001197104.2"]
    assert "status" not in record.data()


def test_every_real_record_has_the_required_fields(shared_data: Path) -> None:
    found = json.loads((shared_data / "hgnc/rest_docs.2025-10-29.share.json").read_bytes())
    docs = found if isinstance(found, list) else found["docs"]
    assert not any(record.lacking() for record in msgspec.convert(docs, list[Record]))
    info = json.loads((shared_data / "hgnc/rest_info.json").read_bytes())
    assert set(FIELDS) <= set(info["storedFields"])


def test_the_real_withdrawn_entries_are_read(shared_data: Path) -> None:
    gone, *merged = read_withdrawn(shared_data / "hgnc/fixtures_withdrawn.txt")
    assert (gone.symbol, gone.merged_into) == ("A12M1", ())
    assert [[str(each) for each in entry.merged_into or ()] for entry in merged] == [
        ["UBA1 (HGNC:12469)"],
        ["LRP1 (HGNC:6692)"],
    ]
