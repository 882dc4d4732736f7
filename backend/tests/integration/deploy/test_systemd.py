"""The units, started by a real systemd on this checkout, under all of their restrictions."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.receivers import WebhookReceiver
from harness.waiting import eventually
from sandbox.options import Options
from sandbox.server import Sandbox
from tests.integration.deploy import lab as labs
from tests.integration.deploy.lab import Lab
from tests.plant import Plant

PYTHON = "/opt/kidney-genetics/backend/.venv/bin/python"
API_ON_ANY_PORT = f"{PYTHON} -m app.cli api --port 0"
WORKER, API = "kidney-genetics-worker", "kidney-genetics-api"

reason = labs.missing()
pytestmark = pytest.mark.skipif(reason is not None, reason=str(reason))


class Site(Plant):
    """A host with the units installed, and the rest of the world."""

    lab: Lab

    def drop_in(self, unit: str, *lines: str) -> None:
        """Change a unit."""
        folder = f"/etc/systemd/system/{unit}.service.d"
        self.lab("mkdir", "-p", folder)
        self.lab.write(f"{folder}/test.conf", "\n".join(["[Service]", *lines, ""]))
        self.lab("systemctl", "daemon-reload")

    def add_to(self, unit: str, *lines: str, **habits: dict[str, Any]) -> None:
        """Let a unit's worker, and the commands, know these sources too."""
        sources = json.dumps(habits)
        self.drop_in(
            unit,
            *lines,
            f"Environment='MORE_SOURCES={sources}'",
            "Environment=MORE_JOURNAL=/var/cache/kidney-genetics/journal",
            "ExecStart=",
            f"ExecStart={PYTHON} -m tests.reliability.more arq app.core.arq_worker.WorkerSettings",
        )
        self.through = ("tests.reliability.more",)
        self.env |= {"MORE_SOURCES": sources, "MORE_JOURNAL": os.devnull}


@pytest.fixture
def site(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Site]:
    options = Options(genes=60, variants_per_gene=20, limits="off", cache_dir=tmp_path / "sandbox")
    with Sandbox(options) as sandbox:
        settings = sandbox.settings | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "USE_ARQ_WORKER": "True",
            "CLINVAR_BULK_THRESHOLD": "0",
        }
        site = Site(os.environ | settings, sandbox, tmp_path)
        site.fill()
        with labs.booted(tmp_path, settings) as site.lab:
            site.lab("sh", "/opt/kidney-genetics/deploy/systemd/install.sh")
            site.drop_in(API, f"ExecStart=\nExecStart={API_ON_ANY_PORT}")
            yield site
        site.end()


@pytest.mark.reliability
@pytest.mark.timeout(180)
async def test_the_units_are_found_correct(site: Site) -> None:
    units = (f"{API}.service", f"{WORKER}.service", f"{WORKER}@2.service")
    assert site.lab("systemd-analyze", "verify", *units) == ""


@pytest.mark.reliability
@pytest.mark.timeout(180)
async def test_two_workers_and_an_api_of_one_text_each_run_a_job_to_its_end(site: Site) -> None:
    units = (WORKER, f"{WORKER}@2", API)
    site.lab("systemctl", "enable", "--now", *units)
    # `start` returns when they are ready, which is when they are alive in PostgreSQL
    alive = site.rows("SELECT kind FROM workers WHERE stopped_at IS NULL")
    assert [row["kind"] for row in alive] == ["arq", "arq"]
    pids = [site.lab.show(unit, "MainPID")["MainPID"] for unit in units]
    for pid in pids:
        status = site.lab("cat", f"/proc/{pid}/status")
        assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
        assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
        touched = site.lab(
            "nsenter", "-t", pid, "-m", "touch", "/opt/kidney-genetics/x", check=False
        )
        assert "Read-only file system" in touched
    address = await eventually(
        lambda: re.search(r"listens on (http://\S+?)[\s\"]", site.lab.journal(API))
    )
    async with httpx.AsyncClient(base_url=address[1]) as api:
        assert (await api.get("/health/ready")).json()["status"] == "ready"

    run_id = site.annotate()
    run = await site.ended(run_id)
    assert (run["state"], run["attempts"], run["losses"]) == ("succeeded", 1, 0), run["error"]
    unknown = site.rows("SELECT source FROM run_sources WHERE unknown > 0 OR done <> total")
    assert unknown == []
    # 60 genes are past the threshold: the bulk file was read, by a process of its own
    assert site.lab("ls", "-A", "/var/cache/kidney-genetics") != ""


@pytest.mark.reliability
@pytest.mark.timeout(180)
async def test_a_stopped_worker_puts_its_run_back_and_a_killed_one_is_started_again(
    site: Site,
) -> None:
    site.add_to(WORKER, slow={"batch": 10, "seconds": 1})
    site.lab("systemctl", "start", WORKER)
    run_id = site.annotate("slow")
    await site.until(lambda r: r["done"] > 0, run_id=run_id)
    site.lab("systemctl", "stop", WORKER)
    assert site.lab.show(WORKER, "Result", "ExecMainStatus") == {
        "Result": "success",
        "ExecMainStatus": "0",
    }
    back = site.rows("SELECT state, interruptions, losses FROM runs")[0]
    assert back == {"state": "queued", "interruptions": 1, "losses": 0}

    site.lab("systemctl", "start", WORKER)
    await site.until(lambda r: r["state"] == "running", run_id=run_id)
    site.lab("systemctl", "kill", "--signal=KILL", WORKER)
    run = await site.ended(run_id)
    assert (run["state"], run["losses"]) == ("succeeded", 1)
    assert site.lab.show(WORKER, "NRestarts") == {"NRestarts": "1"}


@pytest.mark.reliability
@pytest.mark.timeout(180)
async def test_a_worker_is_started_until_it_can_reach_postgresql(site: Site) -> None:
    env = "/opt/kidney-genetics/.env"
    right = site.lab("cat", env)
    site.lab.write(env, re.sub("DATABASE_URL=.*", "DATABASE_URL=postgresql://127.0.0.1:1/x", right))
    assert "failed" in site.lab("systemctl", "start", WORKER, check=False)
    assert site.rows("SELECT FROM workers") == []
    site.lab.write(env, right)
    await eventually(lambda: site.lab.show(WORKER, "ActiveState")["ActiveState"] == "active")
    assert [row["kind"] for row in site.rows("SELECT kind FROM workers")] == ["arq"]
    shown = site.lab("systemctl", "status", WORKER)
    assert re.search(r'Status: "worker \d+, 0 of 3 runs"', shown)


@pytest.mark.reliability
@pytest.mark.timeout(180)
async def test_a_worker_with_wrong_settings_says_so_and_is_not_tried_for_ever(site: Site) -> None:
    site.drop_in(WORKER, "EnvironmentFile=", "Environment=ARQ_MAX_JOBS=many")
    assert "failed" in site.lab("systemctl", "start", WORKER, check=False)
    shown = site.lab.show(WORKER, "ActiveState", "ExecMainStatus", "NRestarts")
    assert shown == {"ActiveState": "failed", "ExecMainStatus": "2", "NRestarts": "0"}
    await eventually(lambda: "ARQ_MAX_JOBS: found" in site.lab.journal(WORKER))


@pytest.mark.reliability
@pytest.mark.timeout(180)
async def test_people_are_told_of_a_unit_that_is_not_started_again(site: Site) -> None:
    with WebhookReceiver() as receiver:
        env = "/opt/kidney-genetics/.env"
        lines = f"NOTIFY_ALLOW_PRIVATE=True\nNOTIFY_WEBHOOK_URLS={receiver.url}\n"
        site.lab.write(env, site.lab("cat", env) + lines + "ARQ_MAX_JOBS=many\n")
        unit = f"{WORKER}@2"
        assert "failed" in site.lab("systemctl", "start", unit, check=False)
        await eventually(lambda: receiver.received)
    (told,) = receiver.received
    assert told.body["type"] == "unit_failed"
    assert f"{unit}.service failed" in told.body["data"]["title"]
    assert told.body["data"]["detail"]["status"] == "2"
    assert told.id.startswith("unit-")


@pytest.mark.reliability
@pytest.mark.timeout(180)
async def test_a_worker_whose_event_loop_is_blocked_is_restarted(site: Site) -> None:
    site.add_to(WORKER, "WatchdogSec=3", slow={"does": "block", "seconds": 10, "times": 1})
    site.lab("systemctl", "start", WORKER)
    first = site.lab.show(WORKER, "MainPID")["MainPID"]
    run_id = site.annotate("slow")
    run = await site.ended(run_id)
    assert (run["state"], run["losses"]) == ("succeeded", 1)
    shown = site.lab.show(WORKER, "MainPID", "NRestarts")
    assert shown["MainPID"] != first
    assert shown["NRestarts"] == "1"
    # where it was held up
    assert "in behave" in site.lab.journal(WORKER)
