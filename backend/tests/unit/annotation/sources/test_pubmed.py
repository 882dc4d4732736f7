import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.pubmed import COLUMNS, PubMedData, read
from app.annotation.upstream.bulk_files.messages import Count, Reading
from tests.unit.annotation.sources.broken import (
    Table,
    answers,
    asked,
    readable_cuts,
    refused,
    written,
)
from tests.unit.annotation.sources.damage import UNUSABLE, broken_gzips

PKD1 = Gene(1, "HGNC:9008", "PKD1", entrez_id="5310")
PKD2 = Gene(2, "HGNC:9009", "PKD2", entrez_id="5311")
NOTHING = Gene(3, "HGNC:1", "NOTHING", entrez_id="100")
BARE = Gene(4, "HGNC:2", "BARE")
GENES = (PKD1, PKD2, NOTHING, BARE)

TABLE = "".join(
    f"{row}\n"
    for row in (
        "#tax_id\tGeneID\tPubMed_ID",
        "9\t5310\t1",
        "3702\t100\t2",
        "9606\t1\t2591067",
        "9606\t5310\t7663510",
        "9606\t5310\t30586318",
        "9606\t5310\t7663510",
        "9606\t5311\t8650545",
        "10090\t5311\t40000000",
        "96060\t5311\t40000001",
        "9606\t5311\t12477932",
    )
)


@pytest.fixture
def read_text(tmp_path: Path) -> Callable[[str | bytes], Reading]:
    return lambda content: read(asked(GENES), written(tmp_path, "gene2pubmed.gz", content))


def test_distinct_articles_of_human_genes_are_counted(
    read_text: Callable[[str], Reading],
) -> None:
    found = read_text(TABLE)

    assert answers(found) == [
        PubMedData(2, [30586318, 7663510]),
        PubMedData(2, [12477932, 8650545]),
        None,
        "the gene has no Entrez id, by which the source identifies genes",
    ]
    assert found.counts == [Count(rows=10, genes=3)]


def test_the_twenty_newest_articles_are_listed(read_text: Callable[[str], Reading]) -> None:
    rows = "".join(f"9606\t5310\t{(number * 7919) % 10_007 + 1}\n" for number in range(500))
    first, *_ = answers(read_text(TABLE.splitlines(keepends=True)[0] + rows))

    assert first.articles == 500
    numbers = sorted(((number * 7919) % 10_007 + 1 for number in range(500)), reverse=True)
    assert first.newest_pmids == numbers[:20]


def test_rows_are_found_at_any_block_boundary(read_text: Callable[[str], Reading]) -> None:
    header, *rows = TABLE.splitlines(keepends=True)
    # blocks have 1 MB, so that this many rows of another species cover several of them
    others = [f"7227\t{number}\t{10_000_000 + number}\n" for number in range(150_000)]
    table = "".join((header, *others[:70_000], *rows, *others[70_000:], "9606\t5310\t5\n"))
    found = read_text(table)

    assert answers(found)[0] == PubMedData(3, [30586318, 7663510, 5])
    assert found.counts == [Count(rows=150_011, genes=3)]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_table_without_a_column_is_unusable(
    read_text: Callable[[str], Reading], column: str
) -> None:
    refused(lambda: read_text(Table(TABLE).without(column)), f"has no column {column}")


def test_a_table_with_other_columns_is_unusable(read_text: Callable[[str], Reading]) -> None:
    other = TABLE.replace("GeneID\tPubMed_ID", "PubMed_ID\tGeneID")
    refused(lambda: read_text(other), "has no column")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tax_id", ""),
        ("tax_id", "human"),
        ("GeneID", ""),
        ("GeneID", "PKD1"),
        ("PubMed_ID", ""),
        ("PubMed_ID", "0"),
        ("PubMed_ID", "-1"),
        ("PubMed_ID", "1_0"),
        ("PubMed_ID", "PMC1234"),
        ("PubMed_ID", "99999999999"),
    ],
)
def test_a_row_with_a_wrong_value_makes_the_file_unusable(
    read_text: Callable[[str], Reading], column: str, value: str
) -> None:
    refused(lambda: read_text(Table(TABLE).with_value(column, value)), "row that is none")


def test_a_table_of_other_species_is_unusable(read_text: Callable[[str], Reading]) -> None:
    refused(lambda: read_text(TABLE.replace("9606\t", "9607\t")), "no human gene")


def test_a_truncated_file_is_unusable_or_has_fewer_rows(
    read_text: Callable[[str | bytes], Reading],
) -> None:
    for cut, found in readable_cuts(TABLE.encode(), lambda cut: read_text(gzip.compress(cut))):
        assert cut.endswith(b"\n")
        assert found.counts[0].rows < 10


def test_a_file_damaged_during_the_download_is_unusable(
    read_text: Callable[[str | bytes], Reading],
) -> None:
    for _, damaged in broken_gzips(gzip.compress(TABLE.encode())):
        with pytest.raises(UNUSABLE):
            answers(read_text(damaged))
