"""Exports from the shell: files, pipes, terminals, full disks and Ctrl-C."""

import json
import os
import pty
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import psutil
import pyarrow.parquet as pq
import pytest

from app.cli.group import main
from harness.timing import WAIT, scaled
from harness.waiting import until
from tests.integration.large_answers import add_large_answers
from tests.plant import BACKEND

pytestmark = pytest.mark.usefixtures("as_from_a_shell")


CHILD = "app.annotation.data.export.child"
"""The program of the process that writes an export."""


def export(cli, *arguments: object, **more: object) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "app.cli", "export", *map(str, arguments)],
        cwd=BACKEND,
        env=cli.env,
        timeout=scaled(WAIT),
        check=False,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more),
    )


@dataclass
class Done:
    """Return the exit status and the output of an export in this process."""

    status: int
    out: str
    err: str


@pytest.fixture
def exported(cli, capfd) -> "Callable[..., Done]":
    """Export in this process. Only writing the table happens in a separate process."""

    def run(*arguments: object) -> Done:
        status = 0
        try:
            main(["export", *map(str, arguments)])
        except SystemExit as end:
            status = int(end.code or 0)
        return Done(status, *capfd.readouterr())

    return run


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def answers(genes, query) -> None:
    query(
        "INSERT INTO annotations (gene_id, source, state, data, release, fetched_at, checked_state)"
        """ SELECT id, 'hgnc', 'found', '{"name": "polycystin", "alias_symbol": ["A", "B"]}',"""
        " 'July', now(), 'found' FROM genes WHERE symbol = 'PKD1'"
    )


def test_a_table_goes_to_stdout(cli, answers) -> None:
    done = export(cli, "--sources", "hgnc")
    assert done.returncode == 0, done.stderr
    header, first, *others = done.stdout.decode().splitlines()
    row = dict(zip(header.split("\t"), first.split("\t"), strict=True))
    assert (row["symbol"], row["hgnc.state"], row["hgnc.name"]) == ("PKD1", "found", "polycystin")
    assert row["hgnc.alias_symbol"] == '["A","B"]'
    assert len(others) == 2
    assert done.stderr == b""


def test_the_ending_of_the_file_names_its_format(exported, answers, tmp_path) -> None:
    table = tmp_path / "genes.parquet"
    done = exported("--output", table)
    assert done.status == 0, done.err
    assert pq.read_table(table)["symbol"].to_pylist() == ["PKD1", "C1orf112", "TTN"]
    assert "3 rows about 3 genes" in done.err
    assert done.out == ""
    book = tmp_path / "genes.XLSX"
    assert exported("--output", book).status == 0
    assert openpyxl.load_workbook(book).sheetnames == ["genes", "columns", "about"]
    assert names_in(tmp_path) == ["genes.XLSX", "genes.parquet"]


def test_beside_a_file_of_lines_are_its_dictionary_manifest_and_citation(
    exported, answers, tmp_path
) -> None:
    done = exported("--output", tmp_path / "genes.csv", "--long", "hgnc.alias_symbol")
    assert done.status == 0, done.err
    lines = (tmp_path / "genes.csv").read_text().splitlines()
    assert lines[0].split(",")[-1] == "hgnc.alias_symbol.value"
    assert [line.split(",")[-1] for line in lines[1:]] == ["A", "B"]
    header, *described = (tmp_path / "genes.columns.tsv").read_text().splitlines()
    assert header.startswith("column\ttype\tunit\tdefinition\tsource\tlicence")
    assert [line.split("\t")[0] for line in described] == lines[0].split(",")
    manifest = json.loads((tmp_path / "genes.manifest.json").read_text())
    assert manifest["sources"]["hgnc"]["releases"][0]["release"] == "July"
    assert (tmp_path / "genes.citation.cff").read_text().startswith("cff-version")
    assert len(names_in(tmp_path)) == 4
    assert (tmp_path / "genes.csv").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_dictionary_can_be_had_alone(exported, answers, tmp_path) -> None:
    done = exported("--columns", "--format", "jsonl", "--fields", "hgnc.name")
    assert done.status == 0, done.err
    assert [json.loads(line)["column"] for line in done.out.splitlines()][-1] == "hgnc.name"
    done = exported("--columns", "--output", tmp_path / "columns.tsv")
    assert done.status == 0
    assert len((tmp_path / "columns.tsv").read_text().splitlines()) > 100


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--output", "genes.doc"], "add --format"),
        (["--format", "excel"], "allowed: tsv, csv, jsonl, parquet, xlsx"),
        (["--fields", "hgnc.nme"], "did you mean hgnc.name?"),
        (["--list", "nosuch"], "just list-add"),
        (["--snapshot", "march"], "just snapshot"),
        (["--as-of", "tomorrow"], "2026-03-31"),
        (["--long", "hgnc.name"], "hgnc.alias_symbol"),
        (["--output", "/dev/full", "--format", "tsv"], "is not a regular file"),
        (["--columns", "--format", "xlsx"], "whose files contain it"),
    ],
)
def test_wrong_use_is_explained_and_writes_nothing(wrong, said, exported, answers) -> None:
    done = exported(*wrong)
    assert done.status == 2
    assert said in done.err
    assert done.out == ""


def test_a_terminal_gets_no_parquet(exported, answers, monkeypatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        done = exported("--format", "parquet")
    os.close(ours)
    assert done.status == 2
    assert "add --output genes.parquet" in done.err


def test_a_terminal_shows_the_progress(cli, programs, query, tmp_path) -> None:
    add_large_answers(query, 500)
    ours, theirs = pty.openpty()
    words = ("app.cli", "export", "--output", str(tmp_path / "genes.tsv"))
    with (
        (tmp_path / "out").open("wb") as out,
        closing(programs.start(words, cli.env, out.fileno(), theirs)) as program,
    ):
        status = program.wait(scaled(WAIT))
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert status == 0
    assert "/500" in shown


def test_a_reader_that_closes_the_pipe_ends_the_export_quietly(cli, query) -> None:
    add_large_answers(query)
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "export"],
        cwd=BACKEND,
        env=cli.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"hgnc_id\t")
    process.stdout.close()
    assert process.wait(scaled(WAIT)) == 1
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_full_disk_leaves_the_former_file_and_no_rubbish(exported, query, tmp_path) -> None:
    add_large_answers(query, 1_000)
    # what a compressed file takes, too
    query(
        "UPDATE annotations SET data = data || jsonb_build_object('location', (SELECT"
        " string_agg(md5(n::text || gene_id), '') FROM generate_series(1, 20) n))"
    )
    for name in ("genes.tsv", "genes.parquet", "genes.xlsx"):
        file = tmp_path / name
        file.write_text("the former file")
        with little_room():
            done = exported("--output", file)
        assert done.status == 1
        assert "File too large" in done.err
        assert "Traceback" not in done.err
        assert file.read_text() == "the former file"
        assert names_in(tmp_path) == [name]
        file.unlink()


@contextmanager
def little_room() -> "Iterator[None]":
    """Limit the size of files to 100 KB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_export_to_a_full_device_fails(cli, programs, query, tmp_path) -> None:
    add_large_answers(query, 100)
    said = tmp_path / "err"
    words = ("app.cli", "export")
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        said.open("wb") as err,
        closing(programs.start(words, cli.env, full.fileno(), err.fileno())) as program,
    ):
        assert program.wait(scaled(WAIT)) == 1
    assert "No space left on device" in said.read_text()
    assert "Traceback" not in said.read_text()


def test_nothing_is_written_into_a_folder_that_is_not_there(exported, answers, tmp_path) -> None:
    done = exported("--output", tmp_path / "nosuch" / "genes.tsv")
    assert done.status == 2
    assert f"there is no folder {tmp_path / 'nosuch'}" in done.err


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (signal.SIGINT, "genes.jsonl"),
        (signal.SIGTERM, "genes.xlsx"),
        (signal.SIGHUP, "genes.parquet"),
    ],
)
def test_ctrl_c_leaves_the_former_file_and_no_rubbish(
    number, name, cli, programs, query, tmp_path
) -> None:
    add_large_answers(query)
    folder = tmp_path / "tables"
    folder.mkdir()
    file = folder / name
    file.write_text("the former file")
    said = tmp_path / "err"
    with said.open("wb") as err:
        words = ("app.cli", "export", "--output", str(file))
        program = programs.start(words, cli.env, err.fileno(), err.fileno())

    def child() -> "psutil.Process | None":
        # stopped before it executes its program, it would stop its parent, too
        children = psutil.Process(program.pid).children()
        return next((each for each in children if CHILD in each.cmdline()), None)

    exporting = until(child)
    # it cannot end before the signal
    exporting.suspend()
    os.kill(program.pid, number)
    with closing(program):
        assert program.wait(scaled(WAIT)) == 130
    assert "Stopped" in said.read_text()
    assert "Traceback" not in said.read_text()
    assert file.read_text() == "the former file"
    assert names_in(folder) == [name]
    assert not exporting.is_running()


def test_a_link_stays_a_link(exported, answers, tmp_path) -> None:
    (tmp_path / "link.tsv").symlink_to(tmp_path / "real.tsv")
    assert exported("--output", tmp_path / "link.tsv").status == 0
    assert (tmp_path / "link.tsv").is_symlink()
    assert (tmp_path / "real.tsv").read_text().startswith("hgnc_id\t")
