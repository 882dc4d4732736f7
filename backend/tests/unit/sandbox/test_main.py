import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from harness.timing import WAIT, scaled
from sandbox import Options, Sandbox
from sandbox.__main__ import main
from sandbox.clinvar.bulk import main as write_bulk
from sandbox.registry import SERVICES

BACKEND = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_sandbox_prints_its_settings_and_serves_until_a_signal(stop, tmp_path):
    command = [sys.executable, "-m", "sandbox", "--genes", "3", "--cache-dir", str(tmp_path)]
    with subprocess.Popen(command, cwd=BACKEND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        settings = {}
        for line in process.stdout:
            last = line
            if line.startswith("#"):
                break
            name, _, value = line.strip().partition("=")
            settings[name] = value
        assert last == "# 3 genes; put these lines into .env; stop with Ctrl-C\n"
        addresses = {name for each in SERVICES for name in each.addresses}
        assert set(settings) == {*addresses, "COMPLETE_SHARE"}
        answer = httpx.get(settings["ENSEMBL_REST_URL"] + "/info/data", trust_env=False)
        assert answer.status_code == 200
        process.send_signal(stop)
        assert process.wait(scaled(WAIT)) == 0


def test_wrong_use_of_the_sandbox_is_reported_without_a_traceback(tmp_path):
    genes = tmp_path / "genes.tsv"
    genes.write_text("gene\n")
    for arguments in (
        ["--gene-list", str(genes)],
        ["--limits", "some"],
        ["--genes", "0"],
        ["--port", "70000"],
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code in (1, 2)
        assert "Error" in result.output
        assert "Traceback" not in result.output


async def test_the_sandbox_serves_beside_an_event_loop(cache_dir):
    async with (
        Sandbox(Options(genes=3, cache_dir=cache_dir)) as sandbox,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        answer = await client.get(sandbox.settings["ENSEMBL_REST_URL"] + "/info/software")
        assert answer.json() == {"release": 115}

    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(sandbox.url)


def test_the_sandbox_stops_in_spite_of_a_hanging_request(cache_dir):
    with Sandbox(Options(genes=3, cache_dir=cache_dir)) as sandbox:
        sandbox.fault("ensembl.info", "hang")
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(
                sandbox.url + "/ensembl/info/data",
                timeout=httpx.Timeout(scaled(WAIT), read=0.1),
                trust_env=False,
            )


def test_a_bulk_file_of_any_length(tmp_path):
    path = tmp_path / "summary.txt.gz"
    result = CliRunner().invoke(write_bulk, [str(path), "--rows", "5000", "--genes", "50"])

    assert result.exit_code == 0, result.output
    unpacked = subprocess.run(["gzip", "-dc", path], capture_output=True, check=True).stdout
    assert unpacked.count(b"\n") == 5_001
