"""What changed, on the command line."""

import json

import pytest

from harness.timing import WAIT, scaled
from tests.conftest import REPOSITORY
from tests.integration import changed
from tests.integration.cli.conftest import Cli
from tests.integration.conftest import Query

BETWEEN = ("--from", "january", "--to", "february")
PKD1 = "PKD1 clinvar: pathogenic 512 -> 519, conflicting 41 -> 40"


@pytest.fixture
def history(query: Query, genes: None) -> None:
    changed.change(query)


def test_changes_are_lines_of_words_and_stderr_counts_them(cli: Cli, history) -> None:
    found = cli("changes", *BETWEEN)
    assert found.exit_code == 0
    assert found.stdout.splitlines() == [
        PKD1,
        "FIRRM gene: renamed C1orf112 -> FIRRM",
        "TTN ensembl: first answer, found",
        "TTN hpo: absent -> found; added term HP:0000107 Renal cyst",
    ]
    assert found.stderr.splitlines() == [
        "changes between 2026-01-31 12:00:00 UTC and 2026-02-28 12:00:00 UTC:",
        "genes: 1 event",
        "clinvar: 1 changed",
        "ensembl: 1 first answer",
        "hpo: 1 changed",
    ]


def test_the_changes_of_a_run_and_of_a_gene(cli: Cli, history) -> None:
    found = cli("changes", "--run", changed.RUN, "--gene", "PKD1", "--source", "clinvar")
    assert (found.stdout, found.stderr) == (
        f"{PKD1}\n", f"changes by run {changed.RUN}:\nclinvar: 1 changed\n",
    )  # fmt: skip


def test_nothing_changed(cli: Cli, history) -> None:
    found = cli("changes")
    assert (found.exit_code, found.stdout) == (0, "")
    assert found.stderr.startswith("nothing was changed between ")


def test_tables_and_json_for_programs(cli: Cli, history) -> None:
    rows = cli("changes", *BETWEEN, "--format", "tsv").stdout.splitlines()
    assert rows[0].startswith("hgnc_id\tsymbol\tsource\t")
    assert len(rows) == 6
    lines = cli("changes", *BETWEEN, "--format", "jsonl", "--moving").stdout.splitlines()
    assert [json.loads(line)["symbol"] for line in lines] == ["PKD1", "PKD1", "FIRRM", "TTN", "TTN"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "januray"), "did you mean january?"),
        (("--since", "last week"), "a day (2026-03-31)"),
        (("--run", "999"), "there is no run 999"),
        (("--list", "none"), "there is no gene list"),
        (("--source", "clinvra"), "did you mean clinvar?"),
        (("--since", "2026-01-01", "--run", "7"), "since and run exclude each other"),
    ],
)
def test_an_unanswerable_query_is_wrong_use(cli: Cli, history, arguments, said) -> None:
    found = cli("changes", *arguments)
    assert found.exit_code == 2
    assert said in found.stderr
    assert found.stdout == ""


def test_a_reader_that_stops_reading_ends_the_command(cli: Cli, history, query: Query) -> None:
    query("INSERT INTO genes (hgnc_id, symbol) SELECT 'HGNC:9' || n, 'G' || n"
          " FROM generate_series(1, 50000) n")  # fmt: skip
    process = cli.process("changes", "--since", "1990-01-01")
    assert process.stdout is not None
    assert process.stdout.readline() == "PKD1 gene: imported\n"
    process.stdout.close()
    _, said = process.communicate(timeout=scaled(WAIT))
    assert "Traceback" not in said


def test_a_run_that_changed_answers_shows_how_to_list_them(cli: Cli, history, query: Query) -> None:
    query("INSERT INTO run_sources (run_id, source, position, active, changed) VALUES"
          " (%s, 'clinvar', 0, false, 1)", changed.RUN)  # fmt: skip
    assert (
        f"to see what changed: just changes --run {changed.RUN}" in cli("show", changed.RUN).stdout
    )
    query("UPDATE run_sources SET changed = 0")
    assert "just changes" not in cli("show", changed.RUN).stdout


def test_the_commands_of_the_page_about_changes_work(cli: Cli, history) -> None:
    commands = [*changed.commands_of_the_page("just")]
    assert commands
    for command in commands:
        arguments = command[: command.index(">")] if ">" in command else command
        found = cli(*arguments)
        assert found.exit_code == 0, (command, found.stderr)
        assert "PKD1" in found.stdout, command


def test_the_page_about_changes_shows_the_output_of_the_command(cli: Cli, history) -> None:
    page = (REPOSITORY / "docs/how-to/follow-changes.md").read_text()
    assert cli("changes", "--since", "2026-02-01").stdout in page
