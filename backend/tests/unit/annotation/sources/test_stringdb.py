import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.stringdb.data import Partner, StringDbData
from app.annotation.sources.stringdb.links import LINK_COLUMNS
from app.annotation.sources.stringdb.proteins import (
    ALIAS_COLUMNS,
    INFO_COLUMNS,
    read_aliases,
    read_info,
)
from app.annotation.sources.stringdb.reader import read
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

SAMPLES = "string"


def protein(number: int) -> str:
    return f"9606.ENSP{number:011d}"


A, B, C, A2, NAMELESS, LONELY = map(protein, range(1, 7))
GENES = (
    Gene(1, "HGNC:1", "AAA"),
    Gene(2, "HGNC:2", "BBB"),
    Gene(3, "HGNC:6", "LONELY"),
    Gene(4, "HGNC:9", "ABSENT"),
)
INFO = (
    "#string_protein_id\tpreferred_name\tprotein_size\tannotation\n"
    f'{A}\tAAA\t100\tHas a "quote\n'
    f"{B}\tBBB\t100\tannotation not available\n"
    f"{C}\tCCC\t100\t\n"
    f"{A2}\tAAA_2\t100\t\n"
    f"{NAMELESS}\tENSP00000000005\t100\t\n"
    f"{LONELY}\tLONELY\t100\t\n"
)
ALIASES = (
    "#string_protein_id\talias\tsource\n"
    f"{A}\tHGNC:1\tEnsembl_HGNC_hgnc_id\n"
    f"{A}\tAAA\tEnsembl_HGNC_symbol\n"
    f"{B}\tHGNC:2\tEnsembl_HGNC_HGNC_ID\n"
    f"{C}\t3\tEnsembl_HGNC_hgnc_id\n"
    f"{A2}\tHGNC:1\tEnsembl_HGNC_hgnc_id\n"
    f"{LONELY}\tHGNC:6\tEnsembl_HGNC_hgnc_id\n"
    f"{LONELY}\tHGNC:9\tUniProt_DR_HGNC\n"
)
PAIRS = ((A, B, 300), (A2, B, 700), (A, A2, 999), (A, C, 900), (A, NAMELESS, 150), (B, C, 399))


def links(pairs: tuple[tuple[str, str, int], ...] = PAIRS) -> str:
    both = [*pairs, *((second, first, score) for first, second, score in pairs)]
    rows = "".join(f"{first} {second} {score}\n" for first, second, score in sorted(both))
    return f"protein1 protein2 combined_score\n{rows}"


@pytest.fixture
def read_texts(tmp_path: Path) -> Callable[..., Reading]:
    def read_all(
        info: str | bytes = INFO, aliases: str | bytes = ALIASES, pairs: str | bytes = links()
    ) -> Reading:
        return read(
            asked(GENES),
            written(tmp_path, "info.txt.gz", info),
            written(tmp_path, "aliases.txt.gz", aliases),
            written(tmp_path, "links.txt.gz", pairs),
        )

    return read_all


def test_real_links_are_counted_and_the_strongest_are_named(
    shared_data: Path, tmp_path: Path
) -> None:
    samples = shared_data / SAMPLES
    arf5 = protein(233)
    rows = (samples / "9606.protein.links.v12.0.txt").read_text().splitlines()[1:]
    pairs = tuple((a, b, int(score)) for a, b, score in (row.split(" ") for row in rows))
    info = (samples / "9606.protein.info.v12.0.share.txt").read_text()
    listed = {row.split("\t")[0] for row in info.splitlines()}
    missing = sorted({each for a, b, _ in pairs for each in (a, b)} - listed)
    info += "".join(f"{each}\t{each[5:]}\t1\t\n" for each in missing)
    aliases = (samples / "9606.protein.aliases.sample.tsv").read_text()
    aliases += f"{arf5}\tHGNC:658\tEnsembl_HGNC_HGNC_ID\n"
    found = read(
        asked([Gene(1, "HGNC:658", "ARF5"), Gene(2, "HGNC:10241", "RORA")]),
        written(tmp_path, "info.txt.gz", info),
        written(tmp_path, "aliases.txt.gz", aliases),
        written(tmp_path, "links.txt.gz", links(pairs)),
    )
    data, other = answers(found)

    assert isinstance(data, StringDbData)
    assert data.proteins == [arf5]
    assert (data.partners_400, data.partners_700, data.partners_900) == (26, 4, 1)
    assert [each.score for each in data.strongest_partners[:3]] == [952, 825, 752]
    assert data.strongest_partners[0].protein == protein(262305)
    assert len(data.strongest_partners) == 30
    assert other is None  # its protein is not in this part of the list


def test_real_lists_of_proteins_and_aliases_are_read(shared_data: Path, tmp_path: Path) -> None:
    samples = shared_data / SAMPLES
    named = read_info(samples / "9606.protein.info.v12.0.share.txt")
    packed = tmp_path / "aliases.txt.gz"
    packed.write_bytes(gzip.compress((samples / "9606.protein.aliases.sample.tsv").read_bytes()))
    identified = read_aliases(packed)

    assert named.size == Count(rows=215, genes=215)
    assert named.symbols[protein(216181)] == "MYH9"
    assert sum(each is None for each in named.symbols.values()) == 2
    assert identified.ids[protein(297540)] == ["HGNC:10241"]
    assert identified.size == Count(rows=100, genes=99)


def test_the_best_score_of_several_proteins_counts_for_each_partner(
    read_texts: Callable[..., Reading],
) -> None:
    found = read_texts()
    first, second, *_ = answers(found)

    assert first == StringDbData(
        proteins=[A, A2],
        partners_400=2,
        partners_700=2,
        partners_900=1,
        strongest_partners=[
            Partner("CCC", "HGNC:3", C, 900),
            Partner("BBB", "HGNC:2", B, 700),
            Partner(None, None, NAMELESS, 150),
        ],
    )
    assert second.strongest_partners == [
        Partner("AAA", "HGNC:1", A, 700),
        Partner("CCC", "HGNC:3", C, 399),
    ]
    assert second.partners_400 == 1
    assert found.counts == [Count(6, 6), Count(7, 4), Count(12, 5)]


def test_a_protein_without_links_is_found_and_a_gene_without_protein_is_absent(
    read_texts: Callable[..., Reading],
) -> None:
    *_, lonely, absent = answers(read_texts())

    assert lonely == StringDbData([LONELY], 0, 0, 0, [])
    assert absent is None


def test_the_thirty_strongest_of_many_partners_are_kept_in_any_order(
    read_texts: Callable[..., Reading],
) -> None:
    others = [protein(100 + number) for number in range(500)]
    info = INFO + "".join(f"{each}\tP{place:03d}\t1\t\n" for place, each in enumerate(others))
    scores = {each: 150 + (place * 7) % 240 for place, each in enumerate(others)}
    scores |= {others[499]: 401, others[3]: 400}
    pairs = tuple((A if place % 2 else A2, each, scores[each]) for place, each in enumerate(others))
    first, *_ = answers(read_texts(info, pairs=links(pairs)))

    best = sorted(scores.values(), reverse=True)[:30]
    assert [each.score for each in first.strongest_partners] == best
    assert first.strongest_partners[0].symbol == "P499"
    assert first.partners_400 == 2


@pytest.mark.parametrize("column", INFO_COLUMNS)
def test_a_list_of_proteins_without_a_column_is_unusable(
    read_texts: Callable[..., Reading], column: str
) -> None:
    refused(lambda: read_texts(Table(INFO).without(column)), "has no column")


@pytest.mark.parametrize("column", ALIAS_COLUMNS)
def test_aliases_without_a_column_are_unusable(
    read_texts: Callable[..., Reading], column: str
) -> None:
    refused(lambda: read_texts(aliases=Table(ALIASES).without(column)), "has no column")


@pytest.mark.parametrize("column", LINK_COLUMNS)
def test_links_without_a_column_are_unusable(
    read_texts: Callable[..., Reading], column: str
) -> None:
    without = Table(links(), separator=" ").without(column)
    refused(lambda: read_texts(pairs=without), "has no column")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("string_protein_id", ""),
        ("string_protein_id", "LONELY"),
        ("string_protein_id", A),
        ("preferred_name", ""),
    ],
)
def test_a_wrong_protein_makes_the_list_unusable(
    read_texts: Callable[..., Reading], column: str, value: str
) -> None:
    refused(lambda: read_texts(Table(INFO).with_value(column, value)), "line 7")


@pytest.mark.parametrize(
    ("column", "value"),
    [("string_protein_id", "AAA"), ("alias", "AAA"), ("alias", ""), ("alias", "HGNC:")],
)
def test_a_wrong_hgnc_id_makes_the_aliases_unusable(
    read_texts: Callable[..., Reading], column: str, value: str
) -> None:
    wrong = Table(ALIASES).with_value(column, value, row=1)
    refused(lambda: read_texts(aliases=wrong), "HGNC id that is none")


def test_aliases_without_any_hgnc_id_are_unusable(read_texts: Callable[..., Reading]) -> None:
    other = ALIASES.replace("_hgnc_id", "_id").replace("_HGNC_ID", "_id")
    refused(lambda: read_texts(aliases=other), "no HGNC ids")


@pytest.mark.parametrize("value", ["", "0", "1001", "0.7", "7e2", "x", "-1", "NA"])
def test_an_invalid_score_makes_the_links_unusable(
    read_texts: Callable[..., Reading], value: str
) -> None:
    wrong = Table(links(), separator=" ").with_value("combined_score", value, row=2)
    refused(lambda: read_texts(pairs=wrong), "score that is none")


def test_links_of_other_proteins_than_those_in_the_list_are_unusable(
    read_texts: Callable[..., Reading],
) -> None:
    other = links(tuple((f"1{a}", f"1{b}", score) for a, b, score in PAIRS))
    refused(lambda: read_texts(pairs=other), "proteins that the list does not have")


def test_links_of_one_direction_are_unusable(read_texts: Callable[..., Reading]) -> None:
    lines = links().splitlines(keepends=True)
    refused(lambda: read_texts(pairs="".join(lines[:-2])), "a part is missing")


def test_a_truncated_file_is_unusable_or_has_fewer_rows(read_texts: Callable[..., Reading]) -> None:
    for cut, found in readable_cuts(INFO.encode(), lambda cut: read_texts(info=gzip.compress(cut))):
        assert cut.endswith(b"\n")
        assert found.counts[0].rows < 6
    for cut, found in readable_cuts(
        ALIASES.encode(), lambda cut: read_texts(aliases=gzip.compress(cut))
    ):
        assert cut.endswith(b"\n")
        assert found.counts[1].rows < 7
    for cut, found in readable_cuts(
        links().encode(), lambda cut: read_texts(pairs=gzip.compress(cut))
    ):
        assert cut.endswith(b"\n")
        assert found.counts[2].rows < 12


@pytest.mark.parametrize(
    ("name", "content"), [("info", INFO), ("aliases", ALIASES), ("pairs", links())]
)
def test_a_file_damaged_during_the_download_is_unusable(
    read_texts: Callable[..., Reading], name: str, content: str
) -> None:
    for _, damaged in broken_gzips(gzip.compress(content.encode())):
        with pytest.raises(UNUSABLE):
            answers(read_texts(**{name: damaged}))
