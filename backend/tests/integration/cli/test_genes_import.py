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
        url = sandbox.settings["HGNC_FILES_URL"]
        cli.settings = cli.settings.model_copy(update={"hgnc_files_url": url})
        yield cli


def test_a_list_is_imported_and_what_is_odd_is_said_by_line(importing, listed) -> None:
    result = importing("genes-import", listed)
    assert result.exit_code == 0, result.output
    assert "line 3: NOSUCHGENE: unknown" in result.stdout
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
    assert "none of the rows" in result.stderr
    assert json.loads(importing("genes-import", path, "--json").stdout)["imported"] == 0


def test_a_file_that_is_not_there(importing, tmp_path) -> None:
    result = importing("genes-import", tmp_path / "no.tsv")
    assert result.exit_code == 1
    assert "no.tsv" in result.stderr
