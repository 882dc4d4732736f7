from pathlib import Path

import pytest

from app.annotation.sources.hgnc.identity import Fate, fates_of, read
from app.annotation.sources.hgnc.records import FIELDS, Withdrawn, read_withdrawn

HEAD = "HGNC_ID\tSTATUS\tWITHDRAWN_SYMBOL\tMERGED_INTO_REPORT(S) (i.e HGNC_ID|SYMBOL|STATUS)\n"
APPROVED = frozenset({"HGNC:1", "HGNC:2", "HGNC:10"})


def entries(tmp_path: Path, *rows: str) -> list[Withdrawn]:
    path = tmp_path / "withdrawn.txt"
    path.write_text(HEAD + "".join(row + "\n" for row in rows))
    return list(read_withdrawn(path))


def merged(gone: int, *into: str) -> str:
    return f"HGNC:{gone}\tMerged/Split\tOLD{gone}\t{', '.join(into)}"


def withdrawn(gone: int) -> str:
    return f"HGNC:{gone}\tEntry Withdrawn\tOLD{gone}\t"


@pytest.mark.parametrize(
    ("rows", "fate"),
    [
        ([withdrawn(50)], Fate("withdrawn", ())),
        ([merged(50, "HGNC:1|A|Approved")], Fate("merged", ("HGNC:1",))),
        (
            [merged(50, "HGNC:10|C|Approved", "HGNC:2|B|Approved", "HGNC:10|C|Approved")],
            Fate("split", ("HGNC:2", "HGNC:10")),
        ),
        (
            [merged(50, "HGNC:60|X|Entry Withdrawn"), merged(60, "HGNC:1|A|Approved")],
            Fate("merged", ("HGNC:1",)),
        ),
        (
            [merged(50, "HGNC:60|X|Entry Withdrawn"), withdrawn(60)],
            Fate("withdrawn", ()),
        ),
        (
            [merged(50, "HGNC:60|X|Merged/Split"), merged(60, "HGNC:50|Y|Merged/Split")],
            Fate("withdrawn", ()),
        ),
        (
            [
                merged(50, "HGNC:1|A|Approved", "HGNC:60|X|Entry Withdrawn"),
                merged(60, "HGNC:1|A|Approved"),
            ],
            Fate("merged", ("HGNC:1",)),
        ),
    ],
    ids=[
        "withdrawn",
        "merged",
        "split, with a gene named twice",
        "merged into a gene that was merged",
        "merged into a gene that was withdrawn",
        "a circle",
        "split into genes that became one",
    ],
)
def test_the_chain_from_a_withdrawn_gene_ends_at_genes_that_are_approved_now(
    tmp_path: Path, rows: list[str], fate: Fate
) -> None:
    assert fates_of(entries(tmp_path, *rows), APPROVED)["HGNC:50"] == fate


@pytest.mark.parametrize(
    "row",
    [
        merged(50, "HGNC:60|X|Approved"),
        merged(50, "HGNC:60|X|Entry Withdrawn"),
        merged(50, "HGNC:1|A|Approved", "HGNC:60|X|Approved"),
        merged(50, "HGNC:1|A|Approved", "HGNC:2"),
        merged(50),
    ],
)
def test_a_gene_with_an_incomplete_chain_is_not_judged(tmp_path: Path, row: str) -> None:
    assert fates_of(entries(tmp_path, row), APPROVED) == {}


def test_a_gene_in_both_files_is_approved(tmp_path: Path) -> None:
    assert fates_of(entries(tmp_path, withdrawn(1), merged(2, "HGNC:1|A|Approved")), APPROVED) == {}


def test_no_truncation_of_the_list_gives_a_gene_another_fate(tmp_path: Path) -> None:
    rows = (
        withdrawn(40),
        merged(50, "HGNC:60|X|Entry Withdrawn"),
        merged(51, "HGNC:1|A|Approved", "HGNC:2|B|Approved"),
        merged(60, "HGNC:10|C|Approved"),
    )
    whole = fates_of(entries(tmp_path, *rows), APPROVED)
    assert len(whole) == len(rows)
    path = tmp_path / "withdrawn.txt"
    text = path.read_text()
    for end in range(len(HEAD), len(text)):
        path.write_text(text[:end])
        try:
            cut = fates_of(list(read_withdrawn(path)), APPROVED)
        except Exception as error:  # noqa: BLE001 - a refused file changes nothing
            assert type(error).__name__ == "BadAnswer"  # noqa: PT017
            continue
        assert cut.items() <= whole.items()


def test_every_real_withdrawn_gene_is_judged_or_skipped_for_a_reason(shared_data: Path) -> None:
    """The sample has a tenth of the real rows. Targets listed as approved are assumed approved."""
    found = list(read_withdrawn(shared_data / "hgnc/withdrawn.share.txt"))
    targets = [target for entry in found for target in entry.merged_into or ()]
    approved = {target.hgnc_id for target in targets if target.status == "Approved"}
    fates = fates_of(found, approved)
    events = [fate.event for fate in fates.values()]
    assert (len(found), events.count("withdrawn")) == (546, 199)
    assert fates["HGNC:181"] == Fate("merged", ("HGNC:620",))
    assert fates["HGNC:1871"] == Fate("split", ("HGNC:10498", "HGNC:10499"))
    assert fates["HGNC:3294"] == Fate("split", ("HGNC:3284", "HGNC:3287", "HGNC:3296"))
    dnm = fates["HGNC:21128"]
    assert (dnm.event, len(dnm.into), dnm.into[0]) == ("split", 6, "HGNC:35188")
    # these were merged into genes whose own rows are not in the sample
    left = {entry.hgnc_id for entry in found} - set(fates) - approved
    assert left == {"HGNC:3965", "HGNC:5416", "HGNC:5790", "HGNC:5814", "HGNC:21291"}


def test_rows_are_written_in_postgresqls_copy_format(tmp_path: Path) -> None:
    path = tmp_path / "hgnc_complete_set.txt"
    values = dict.fromkeys(FIELDS, "") | {
        "hgnc_id": "HGNC:1",
        "symbol": "AAA",
        "status": "Approved",
        "name": "a gene",
        "locus_group": "protein-coding gene",
        "locus_type": "gene with protein product",
        "entrez_id": "10",
        "prev_symbol": r'"B\B|B\B|' + "X" * 101 + '"',
    }
    path.write_text("\t".join(values) + "\n" + "\t".join(values.values()) + "\n")
    reading = read(None, path)
    blocks = {block.table: block.rows for part in reading.parts for block in part}
    assert blocks == {
        "approved": "HGNC:1\tAAA\t\\N\t10\n",
        "names": "HGNC:1\tsymbol\tAAA\nHGNC:1\tprevious\tB\\\\B\n",
    }
    assert reading.counts == [(1, 1)]
