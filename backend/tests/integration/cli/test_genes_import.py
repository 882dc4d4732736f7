import json
from pathlib import Path

import pytest

from sandbox.options import Options
from sandbox.server import Sandbox


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "genes.tsv"
    path.write_text("symbol\nPKD1\nNOSUCHGENE\npkd2\nPKD1\n")
    return path


@pytest.fixture
def importing(cli, tmp_path: Path):
    """The command line, with the sandbox as HGNC."""
    with Sandbox(Options(genes=60, limits="off", cache_dir=tmp_path)) as sandbox:
        few = {
            "hgnc_files_url": sandbox.settings["HGNC_FILES_URL"],
            "complete_share": float(sandbox.settings["COMPLETE_SHARE"]),
        }
        cli.settings = cli.settings.model_copy(update=few)
        yield cli


def test_a_list_is_imported_and_odd_lines_are_reported(importing, listed) -> None:
    result = importing("genes-import", listed)
    assert result.exit_code == 0, result.output
    assert "line 3: skipped: NOSUCHGENE: unknown: HGNC has no such gene" in result.stdout
    assert result.stdout.endswith(
        "2 imported, 0 updated, 0 unchanged, 1 duplicate rows, 1 not imported\n"
    )
    again = importing.json("genes-import", listed)
    assert (again["imported"], again["unchanged"], again["duplicates"]) == (0, 2, 1)
    assert again["problems"][0]["line"] == 3


def test_all_protein_coding_genes_are_imported(importing, query) -> None:
    report = importing.json("genes-import", "hgnc")
    assert report["imported"] == query("SELECT count(*) AS n FROM genes")[0]["n"] > 0


def test_a_list_of_nothing_known_fails(importing, tmp_path) -> None:
    path = tmp_path / "none.tsv"
    path.write_text("symbol\nNOSUCHGENE\n")
    result = importing("genes-import", path)
    assert result.exit_code == 1
    assert "no row could be imported" in result.stderr
    assert json.loads(importing("genes-import", path, "--json").stdout)["imported"] == 0


def test_a_missing_file_is_refused(importing, tmp_path) -> None:
    result = importing("genes-import", tmp_path / "no.tsv")
    assert result.exit_code == 2
    assert "no.tsv" in result.stderr


def test_remarks_are_sorted_by_line_and_state_the_outcome_of_the_row(importing, tmp_path) -> None:
    path = tmp_path / "odd.tsv"
    path.write_text("symbol\thgnc_id\nNOPE\t\nNOPE\tHGNC:9008\nNEITHER\t\nPKD1\t\n")
    lines = importing("genes-import", path).stdout.splitlines()
    assert [line.split(":")[:2] for line in lines[:-1]] == [
        ["line 2", " skipped"],
        ["line 3", " imported"],
        ["line 4", " skipped"],
    ]


def test_an_unreachable_hgnc_is_reported_with_a_remedy(cli, listed) -> None:
    url = "http://127.0.0.1:1/hgnc"
    update = {"hgnc_files_url": url, "upstream_backoff": 0.01}
    cli.settings = cli.settings.model_copy(update=update)
    result = cli("genes-import", listed)
    assert result.exit_code == 1
    assert "cannot get HGNC's list of genes from 127.0.0.1:1" in result.stderr
    assert "HGNC_FILES_URL" in result.stderr
    assert "tried again in" not in result.stderr


def test_an_import_reads_all_names_and_records_the_fate_of_earlier_genes(
    importing, listed, query
) -> None:
    query(
        "INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:990001', 'SYNGONE1'),"
        " ('HGNC:990002', 'SYNMERGED1'), ('HGNC:9008', 'OLD')"
    )
    report = importing.json("genes-import", listed)
    assert (report["imported"], report["updated"]) == (1, 1)
    assert query("SELECT count(*) AS n FROM gene_names")[0]["n"] > 60
    assert query("SELECT event, detail, run_id FROM gene_events ORDER BY id")[0] == {
        "event": "renamed",
        "detail": {"from": "OLD", "to": "PKD1"},
        "run_id": None,
    }
    gone = query("SELECT symbol FROM genes WHERE withdrawn_at IS NOT NULL ORDER BY symbol")
    assert [row["symbol"] for row in gone] == ["SYNGONE1", "SYNMERGED1"]
    again = importing.json("genes-import", listed)
    assert (again["imported"], again["updated"], again["unchanged"]) == (0, 0, 2)
    assert query("SELECT count(*) AS n FROM gene_events")[0]["n"] == 3
