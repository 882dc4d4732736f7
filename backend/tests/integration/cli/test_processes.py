"""The command line as processes of their own: the API, pipes, signals."""

import json
import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from harness.timing import WAIT, scaled
from harness.waiting import until
from sandbox.server import Sandbox
from tests.plant import BACKEND

pytestmark = pytest.mark.usefixtures("as_from_a_shell")

TOKEN = {"Authorization": "Bearer a-token-of-the-tests"}


@pytest.fixture
def sandbox(sandbox: Sandbox, cli) -> Sandbox:
    cli.env |= sandbox.settings
    return sandbox


def address(api: "subprocess.Popen[str]") -> str:
    """Wait until an API is up, and return where."""
    assert api.stderr is not None
    where = ""
    for line in api.stderr:
        if found := re.search(r"listens on (http://[\w.:]+)", line):
            where = found[1]
        if "startup complete" in line:
            return where
    raise AssertionError("the API ended")


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=scaled(WAIT))
    return process.returncode, out, err


def test_a_run_of_the_shell_is_executed_by_the_api_and_waited_for(cli, sandbox, genes) -> None:
    off = {"USE_ARQ_WORKER": "False"}
    api = cli.process("api", "--port", "0", **off)
    where = address(api)
    status, out, err = ended(cli.process("annotate", "ensembl", "--wait", **off))
    assert status == 0, err
    assert "run 1 (ensembl, smart) succeeded" in out
    assert re.search(r"ensembl +succeeded +3 +3 +2 +1", out)
    assert "\x1b" not in out + err
    assert re.search(r"claimed: .*worker 1\b", err)
    assert "ensembl: 3 of 3 genes, succeeded in" in err
    status, out, _ = ended(cli.process("annotate", "ensembl", "--wait", "--json", **off))
    assert (status, json.loads(out)["state"]) == (0, "succeeded")
    assert httpx.get(f"{where}/api/admin/runs", headers=TOKEN).json()["runs"][0]["id"] == 2
    api.send_signal(signal.SIGINT)
    status, _, err = ended(api)
    assert status == 0
    assert "Traceback" not in err


def test_a_stopped_api_requeues_its_run_and_the_next_one_continues_it(
    cli, sandbox, genes, query
) -> None:
    off = {"USE_ARQ_WORKER": "False"}
    sandbox.fault("ensembl", "hang")
    api = cli.process("api", "--port", "0", **off)
    address(api)
    waiting = cli.process("annotate", "ensembl", "--wait", **off)
    until(lambda: query("SELECT 1 FROM runs WHERE state = 'running'"))
    api.send_signal(signal.SIGHUP)
    assert ended(api)[0] == 0
    assert query("SELECT state, interruptions FROM runs") == [
        {"state": "queued", "interruptions": 1}
    ]
    sandbox.clear_faults()
    api = cli.process("api", "--port", "0", **off)
    address(api)
    status, out, err = ended(waiting)
    assert status == 0, err
    assert "succeeded" in out
    assert "interrupted" in err
    api.send_signal(signal.SIGUSR1)
    assert ended(api)[0] == 0


def test_ctrl_c_leaves_the_run_going(cli, genes, query) -> None:
    waiting = cli.process("annotate", "ensembl", "--wait")
    until(lambda: query("SELECT 1 FROM runs"))
    assert waiting.stderr is not None
    for line in waiting.stderr:
        if "created" in line:
            break
    waiting.send_signal(signal.SIGINT)
    status, _, err = ended(waiting)
    assert status == 130
    assert "Run 1 continues. To see its progress: just show 1" in err
    assert "Traceback" not in err
    assert query("SELECT state FROM runs") == [{"state": "queued"}]


def test_waiting_for_a_run_that_is_cancelled_fails(cli, genes, query) -> None:
    waiting = cli.process("annotate", "ensembl", "--wait")
    until(lambda: query("SELECT 1 FROM runs"))
    assert cli("cancel", 1).exit_code == 0
    status, out, _ = ended(waiting)
    assert status == 1
    assert "was cancelled" in out


def test_an_occupied_port_is_named(cli, programs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = programs.run(("app.cli", "api", "--port", str(port)), cli.env)
    assert done.returncode == 1
    why = f"the API cannot listen on 127.0.0.1, port {port}: Address already in use"
    assert f"Error: {why}" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_settings_that_cannot_be_used_are_all_named(cli, programs) -> None:
    bad = {"ARQ_MAX_JOBS": "many", "REDIS_URL": "http://secret-host"}
    done = programs.run(("app.cli", "api"), cli.env | bad)
    assert done.returncode == 2
    assert "ARQ_MAX_JOBS" in done.stderr
    assert "REDIS_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret-host" not in done.stderr


def test_uvicorn_itself_logs_why_the_api_does_not_start(cli, programs, empty_database_url) -> None:
    words = ("uvicorn", "app.main:create_app", "--factory", "--port", "0")
    done = programs.run(words, cli.env | {"DATABASE_URL": empty_database_url})
    assert done.returncode != 0
    assert "the database is not migrated" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pipe_gets_plain_text_with_one_line_for_each_row_and_nothing_cut_off(
    cli, programs, genes, query
) -> None:
    query(
        "INSERT INTO runs (task, sources, mode, state) SELECT 't', ARRAY['hgnc', 'ensembl',"
        " 'clinvar', 'another-source', 'and-yet-another-source'], 'smart', 'failed'"
    )
    plain, without_colours = ({"TERM": "dumb"}, {"NO_COLOR": "1", "COLUMNS": "80"})
    runs = ("app.cli", "runs")
    outputs = {programs.run(runs, cli.env | env).stdout for env in (plain, without_colours)}
    assert len(outputs) == 1
    (text,) = outputs
    assert "\x1b" not in text
    header, row = text.splitlines()
    assert header.split()[:2] == ["id", "state"]
    assert "hgnc, ensembl, clinvar, another-source, and-yet-another-source" in row


def test_a_terminal_gets_bars(cli, genes) -> None:
    ours, theirs = os.openpty()
    waiting = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "annotate", "ensembl", "--wait"],
        cwd=BACKEND,
        env=cli.env | {"TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    seen = b""
    while b"queued" not in seen.partition(b"created")[2]:
        seen += os.read(ours, 4_096)
    assert b"\xe2\x94\x81" in seen
    waiting.send_signal(signal.SIGINT)
    waiting.communicate(timeout=scaled(WAIT))
    os.close(ours)
    assert waiting.returncode == 130
