import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.annotation.settings import load_settings
from app.core.checks import Status
from app.core.workers.liveness import Liveness
from app.core.workers.timing import Timing
from harness.timing import limit
from tests.integration.doctor.ward import (
    change,
    equip,
    follow,
    following,
    query,
    until_ok,
    upstreams,
)
from tests.patient import REPOSITORY, Patient

CHECKS = (
    "worker.alive",
    "worker.mode",
    "worker.heartbeat",
    "worker.version",
    "worker.clock",
    "worker.oldest-waiting",
    "worker.queue-name",
)

A_WORKER = """
import asyncio, sys
from app.core.workers.liveness import Liveness
from app.core.workers.timing import Timing

async def live():
    life = Liveness(sys.argv[1], kind=sys.argv[2], timing=Timing())
    await life.connect()
    print(life.worker_id, flush=True)
    while True:
        await life.beat()
        await asyncio.sleep(0.2)

asyncio.run(live())
"""


@pytest.fixture
def patient(patient: Patient, tmp_path: Path) -> Iterator[Patient]:
    with upstreams(patient, tmp_path):
        yield equip(patient)


class Workers:
    """Processes that are alive as workers are, but execute nothing."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, kind: str = "arq") -> tuple[int, int]:
        """Start one; return its id and pid."""
        process = subprocess.Popen(
            [sys.executable, "-c", A_WORKER, self._patient.env["DATABASE_URL"], kind],
            cwd=REPOSITORY / "backend",
            env=self._patient.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        assert process.stdout
        return int(process.stdout.readline()), process.pid

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture
def workers(patient: Patient) -> Iterator[Workers]:
    workers = Workers(patient)
    yield workers
    workers.stop()


@pytest.fixture
async def life(patient: Patient) -> AsyncIterator[Liveness]:
    """A worker within this process."""
    life = Liveness(patient.env["DATABASE_URL"], kind="arq", timing=Timing())
    await life.connect()
    yield life
    await life.stop()


def run(patient: Patient, state: str = "queued", source: str = "hgnc", **columns: object) -> int:
    """Put a run into the database, which was created two minutes ago."""
    names = ["task", "sources", "state", *columns]
    values = ["run_pipeline_task", [source], state, *columns.values()]
    made = query(
        patient,
        f"INSERT INTO runs (mode, created_at, {', '.join(names)}) VALUES ('smart',"
        f" now() - interval '2 minutes', {', '.join(['%s'] * len(names))}) RETURNING id",
        *values,
    )[0]["id"]
    query(
        patient,
        "INSERT INTO run_events (run_id, epoch, event, at)"
        " VALUES (%s, 1, 'created', now() - interval '2 minutes')",
        made,
    )
    query(
        patient,
        "INSERT INTO run_sources (run_id, source, position, active) VALUES (%s, %s, 1, %s)",
        made,
        source,
        state in {"queued", "running"},
    )
    return int(made)


async def until_alive(patient: Patient) -> None:
    async with limit(30):
        while (await patient.see("worker.alive")).status is not Status.ok:
            await asyncio.sleep(0.2)


async def test_with_a_living_worker_all_checks_pass(patient: Patient, life: Liveness) -> None:
    await life.beat()

    found = await patient.all(*CHECKS)

    assert {name: found[name].status for name in CHECKS} == dict.fromkeys(CHECKS, Status.ok)


async def test_without_a_worker_the_printed_command_starts_one(patient: Patient) -> None:
    broken = await patient.all("worker.alive", "worker.mode")

    assert broken["worker.alive"].status is Status.failed
    assert broken["worker.mode"].status is Status.skipped
    with following(patient, broken["worker.alive"]):
        await until_alive(patient)
        found = await patient.all(*CHECKS)
        assert {name: found[name].status for name in CHECKS} == dict.fromkeys(CHECKS, Status.ok)


async def test_an_api_that_executes_runs_counts_as_a_worker(
    patient: Patient, workers: Workers
) -> None:
    change(patient, use_arq_worker="False")
    workers.start("arq")

    broken = await patient.see("worker.alive")

    assert broken.status is Status.failed
    assert broken.remedy == "just api"
    workers.start("api")
    assert (await patient.see("worker.alive")).status is Status.ok


async def test_an_installed_unit_is_started(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / "kidney-genetics-worker.service").touch()
    patient.about["units"] = tmp_path / "units"

    broken = await patient.see("worker.alive")

    assert broken.remedy == "sudo systemctl start kidney-genetics-worker"


async def test_a_setting_that_differs_from_the_actual_state_is_reported(
    patient: Patient, workers: Workers
) -> None:
    workers.start("arq")
    workers.start("api")
    del patient.about["settings"]
    others = f"DATABASE_URL={patient.env['DATABASE_URL']}\n"
    (patient.root / ".env").write_text(f"USE_ARQ_WORKER=False\n{others}")
    del patient.env["USE_ARQ_WORKER"]

    broken = await patient.see("worker.mode")

    assert broken.status is Status.warning
    assert "USE_ARQ_WORKER=False" in broken.finding.found
    patient.env["EDITOR"] = "sed -i s/False/True/"
    follow(patient, broken)
    assert load_settings(patient.root / ".env").use_arq_worker
    workers.processes[1].kill()
    workers.processes[1].wait()
    assert (await patient.see("worker.mode")).status is Status.ok


async def test_an_api_that_executes_runs_although_workers_are_alive_is_reported(
    patient: Patient, workers: Workers
) -> None:
    workers.start("arq")
    _, pid = workers.start("api")

    broken = await patient.see("worker.mode")

    assert broken.status is Status.warning
    assert broken.remedy == f"kill {pid}\njust api"
    patient.shell(broken.remedy.splitlines()[0])
    workers.processes[1].wait()
    assert (await patient.see("worker.mode")).status is Status.ok


async def test_a_stopped_worker_is_continued_by_the_printed_command(
    patient: Patient, workers: Workers
) -> None:
    worker_id, pid = workers.start()
    os.kill(pid, signal.SIGSTOP)
    async with limit(20):
        while (broken := await patient.see("worker.heartbeat")).status is Status.ok:
            await asyncio.sleep(0.2)

    assert broken.status is Status.warning
    assert f"worker {worker_id}" in broken.finding.summary
    assert broken.remedy == f"kill -CONT {pid}"
    follow(patient, broken)
    await until_ok(patient, "worker.heartbeat")


async def test_a_worker_without_heartbeats_counts_as_dead(patient: Patient, life: Liveness) -> None:
    query(patient, "UPDATE workers SET heartbeat_at = now() - interval '40 s'")

    broken = await patient.all("worker.heartbeat", "worker.alive")

    assert broken["worker.heartbeat"].status is Status.failed
    assert "counts as dead" in broken["worker.heartbeat"].finding.summary
    assert broken["worker.alive"].status is Status.failed
    await life.beat()
    assert (await patient.see("worker.alive")).status is Status.ok


async def test_a_worker_whose_event_loop_is_blocked_is_reported_with_the_command_that_restarts_it(
    patient: Patient, life: Liveness
) -> None:
    await life.beat(2.5)

    broken = await patient.see("worker.heartbeat")

    assert broken.status is Status.warning
    assert f"worker {life.worker_id}" in broken.finding.summary
    assert broken.remedy == f"kill {os.getpid()}\njust worker"


async def test_a_worker_of_another_version_is_reported_with_the_command_that_restarts_it(
    patient: Patient, life: Liveness
) -> None:
    query(patient, "UPDATE workers SET version = '0.0.9'")

    broken = await patient.see("worker.version")

    assert broken.status is Status.warning
    assert "0.0.9" in broken.finding.found
    assert broken.remedy == f"kill {os.getpid()}\njust worker"


async def test_a_worker_whose_clock_differs_is_named(patient: Patient, life: Liveness) -> None:
    await life.beat()
    assert (await patient.see("worker.clock")).status is Status.ok
    query(patient, "UPDATE workers SET clock_ahead = clock_ahead - 3600, host = 'far-away'")

    broken = await patient.see("worker.clock")

    assert broken.status is Status.warning
    assert f"worker {life.worker_id}" in broken.finding.summary
    assert "60 min behind PostgreSQL's" in broken.finding.summary
    assert broken.remedy == "ssh far-away sudo timedatectl set-ntp true"
    await life.beat()
    assert (await patient.see("worker.clock")).status is Status.ok


async def test_a_worker_on_another_host_is_named_with_its_host(
    patient: Patient, life: Liveness
) -> None:
    query(patient, "UPDATE workers SET version = '0.0.9', host = 'far-away'")

    broken = await patient.see("worker.version")

    assert "on far-away" in broken.finding.found
    assert broken.remedy.startswith("ssh far-away sudo systemctl restart")
    assert socket.gethostname() != "far-away"


async def test_a_worker_that_claims_nothing_is_restarted_by_the_printed_command(
    patient: Patient, workers: Workers
) -> None:
    _, pid = workers.start()
    run_id = run(patient)

    broken = await patient.see("worker.oldest-waiting")

    assert broken.status is Status.failed
    assert f"run {run_id}" in broken.finding.summary
    assert broken.remedy == f"kill {pid}\njust worker"
    with following(patient, broken):
        async with limit(30):
            while query(patient, "SELECT state FROM runs WHERE state = 'queued'"):
                await asyncio.sleep(0.1)
        await until_ok(patient, "worker.oldest-waiting")


async def test_a_worker_with_fewer_slots_than_the_settings_here_is_busy_when_they_are_taken(
    patient: Patient, life: Liveness
) -> None:
    run(patient, "running", worker_id=life.worker_id)
    query(patient, "UPDATE workers SET slots = 1")
    waits = run(patient, source="ensembl")

    seen = await patient.see("worker.oldest-waiting")

    assert seen.status is Status.ok
    assert f"run {waits}" in seen.finding.summary
    assert "all 1 workers are busy" in seen.finding.summary


async def test_a_worker_that_reads_another_queue_is_reported(
    patient: Patient, life: Liveness
) -> None:
    assert (await patient.see("worker.queue-name")).status is Status.ok
    query(patient, "UPDATE workers SET queue = 'kidney_genetics'")

    broken = await patient.see("worker.queue-name")

    assert broken.status is Status.failed
    assert broken.finding.found.endswith(": kidney_genetics")
    assert "just worker" in broken.remedy


async def test_a_run_that_may_not_start_yet_is_not_overdue(
    patient: Patient, life: Liveness
) -> None:
    run_id = run(patient)
    query(patient, "UPDATE runs SET not_before = now() + interval '1 h' WHERE id = %s", run_id)

    assert (await patient.see("worker.oldest-waiting")).status is Status.ok
