import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis as redis_sync
from arq.jobs import serialize_job

from app.core.arq.wake_ups import dump
from app.core.workers.liveness import Liveness
from app.core.workers.timing import Timing
from app.doctor.check import Status
from app.doctor.checks.worker import stop
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

QUEUE = "kidney_genetics_tasks"

CHECKS = (
    "worker.alive",
    "worker.mode",
    "worker.heartbeat",
    "worker.loop-lag",
    "worker.version",
    "worker.clock",
    "worker.backlog",
    "worker.oldest-waiting",
    "worker.timeout",
    "worker.queue-name",
    "worker.functions",
    "worker.bells",
    "worker.stale-keys",
    "worker.stop-timeout",
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
        await life.beat(float(sys.argv[3]))
        await asyncio.sleep(0.2)

asyncio.run(live())
"""


@pytest.fixture
def patient(patient: Patient, tmp_path: Path) -> Iterator[Patient]:
    with upstreams(patient, tmp_path):
        yield equip(patient)


@pytest.fixture
def client(patient: Patient) -> Iterator["redis_sync.Redis"]:
    with redis_sync.Redis.from_url(patient.env["REDIS_URL"]) as client:
        yield client


class Workers:
    """Processes that live as workers do, and do nothing else."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, kind: str = "arq", *, lag: float = 0.0) -> tuple[int, int]:
        """Start one; return its id and pid."""
        process = subprocess.Popen(
            [sys.executable, "-c", A_WORKER, self._patient.env["DATABASE_URL"], kind, str(lag)],
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
    async with asyncio.timeout(30):
        while (await patient.see("worker.alive")).status is not Status.ok:
            await asyncio.sleep(0.2)


async def test_with_a_living_worker_all_checks_pass(patient: Patient, life: Liveness) -> None:
    await life.beat()

    found = await patient.all(*CHECKS)

    assert {name: found[name].status for name in CHECKS} == dict.fromkeys(CHECKS, Status.ok)


async def test_without_a_worker_the_printed_command_starts_one(patient: Patient) -> None:
    broken = await patient.all("worker.alive", "worker.backlog")

    assert broken["worker.alive"].status is Status.failed
    assert broken["worker.backlog"].status is Status.skipped
    with following(patient, broken["worker.alive"]):
        await until_alive(patient)
        # it also takes over what is lost, and clears what waits
        found = await patient.all(*CHECKS)
        assert {name: found[name].status for name in CHECKS} == dict.fromkeys(CHECKS, Status.ok)


async def test_where_the_api_executes_runs_it_is_looked_for(
    patient: Patient, workers: Workers
) -> None:
    change(patient, use_arq_worker="False")
    workers.start("arq")

    broken = await patient.see("worker.alive")

    assert broken.status is Status.failed
    assert broken.remedy == "just api"
    workers.start("api")
    assert (await patient.see("worker.alive")).status is Status.ok


async def test_an_installed_unit_is_what_is_started(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / "kidney-genetics-worker.service").touch()
    patient.about["units"] = tmp_path / "units"

    broken = await patient.see("worker.alive")

    assert broken.remedy == "sudo systemctl start kidney-genetics-worker"


async def test_a_setting_that_differs_from_what_happens_is_reported(
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
    follow(patient, broken)
    assert (patient.root / ".env").read_text() == f"{others}USE_ARQ_WORKER=True\n"
    workers.processes[1].kill()
    workers.processes[1].wait()
    assert (await patient.see("worker.mode")).status is Status.ok


async def test_an_api_that_executes_beside_the_workers_is_reported(
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


async def test_a_worker_that_is_held_up_is_found_and_goes_on(
    patient: Patient, workers: Workers
) -> None:
    worker_id, pid = workers.start()
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(20):
        while (broken := await patient.see("worker.heartbeat")).status is Status.ok:
            await asyncio.sleep(0.2)

    assert broken.status is Status.warning
    assert f"worker {worker_id}" in broken.finding.summary
    assert broken.remedy == f"kill -CONT {pid}"
    follow(patient, broken)
    await until_ok(patient, "worker.heartbeat")


async def test_a_worker_that_is_frozen_for_long_is_a_failure(
    patient: Patient, life: Liveness
) -> None:
    query(patient, "UPDATE workers SET heartbeat_at = now() - interval '40 s'")

    broken = await patient.all("worker.heartbeat", "worker.alive")

    assert broken["worker.heartbeat"].status is Status.failed
    assert "frozen" in broken["worker.heartbeat"].finding.summary
    assert broken["worker.alive"].status is Status.failed
    await life.beat()
    assert (await patient.see("worker.alive")).status is Status.ok


async def test_a_worker_whose_event_loop_is_held_up_is_restarted(
    patient: Patient, workers: Workers
) -> None:
    worker_id, pid = workers.start(lag=2.5)
    async with asyncio.timeout(10):
        while (broken := await patient.see("worker.loop-lag")).status is Status.ok:
            await asyncio.sleep(0.1)

    assert broken.status is Status.warning
    assert f"worker {worker_id}" in broken.finding.summary
    assert broken.remedy == f"kill {pid}\njust worker"
    with following(patient, broken):
        await until_alive(patient)
        assert (await patient.see("worker.loop-lag")).status is Status.ok


async def test_a_worker_of_another_version_is_restarted_by_the_printed_command(
    patient: Patient, workers: Workers
) -> None:
    worker_id, pid = workers.start()
    query(patient, "UPDATE workers SET version = '0.0.9' WHERE id = %s", worker_id)

    broken = await patient.see("worker.version")

    assert broken.status is Status.warning
    assert "0.0.9" in broken.finding.found
    assert broken.remedy == f"kill {pid}\njust worker"
    with following(patient, broken):
        await until_ok(patient, "worker.version")
        await until_alive(patient)


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


async def test_a_queue_that_takes_days_calls_for_another_worker(
    patient: Patient, workers: Workers
) -> None:
    change(patient, arq_max_jobs="1")
    workers.start()
    for _ in range(3):
        query(
            patient,
            "INSERT INTO runs (task, sources, mode, state, started_at, finished_at) VALUES"
            " ('run_pipeline_task', '{clinvar}', 'smart', 'succeeded',"
            "  now() - interval '20 hours', now())",
        )
    run(patient, source="hgnc")
    run(patient, source="ensembl")

    broken = await patient.see("worker.backlog")

    assert broken.status is Status.warning
    assert "40.0 h" in broken.finding.summary
    assert broken.remedy == "just worker"
    workers.start()
    assert (await patient.see("worker.backlog")).status is Status.ok


async def test_an_estimate_needs_runs_to_go_by(patient: Patient, life: Liveness) -> None:
    run(patient)

    found = await patient.see("worker.backlog")

    assert found.status is Status.ok
    assert "not known" in found.finding.summary


async def test_a_worker_that_does_not_take_what_is_ready_is_restarted(
    patient: Patient, workers: Workers
) -> None:
    _, pid = workers.start()
    run_id = run(patient)

    broken = await patient.see("worker.oldest-waiting")

    assert broken.status is Status.failed
    assert f"run {run_id}" in broken.finding.summary
    assert broken.remedy == f"kill {pid}\njust worker"
    with following(patient, broken):
        async with asyncio.timeout(30):
            while query(patient, "SELECT state FROM runs WHERE state = 'queued'"):
                await asyncio.sleep(0.1)
        await until_ok(patient, "worker.oldest-waiting")


async def test_a_run_that_may_not_start_yet_is_not_missed(patient: Patient, life: Liveness) -> None:
    run_id = run(patient)
    query(patient, "UPDATE runs SET not_before = now() + interval '1 h' WHERE id = %s", run_id)

    assert (await patient.see("worker.oldest-waiting")).status is Status.ok
    assert (await patient.see("worker.bells")).status is Status.ok


async def test_an_attempt_near_its_limit_goes_on_in_another(
    patient: Patient, life: Liveness
) -> None:
    run_id = run(patient, "running", worker_id=life.worker_id)
    query(patient, "UPDATE runs SET attempt_started_at = now() - interval '110 minutes'")

    broken = await patient.see("worker.timeout")

    assert broken.status is Status.warning
    assert "in 10 min" in broken.finding.summary
    assert "then it has failed" in broken.finding.summary
    follow(patient, broken)
    assert query(patient, "SELECT state FROM runs WHERE id = %s", run_id) == [{"state": "queued"}]
    assert (await patient.see("worker.timeout")).status is Status.ok


def enqueue(client: "redis_sync.Redis", queue: str, job_id: str, function: str) -> None:
    job = serialize_job(function, ("hgnc",), {"mode": "smart"}, None, 1, serializer=dump)
    client.set(f"arq:job:{job_id}", job)
    client.zadd(queue, {job_id: 1})


async def test_jobs_of_ours_in_another_queue_are_worked_off(
    patient: Patient, client: "redis_sync.Redis"
) -> None:
    query(patient, "INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:9008', 'PKD1')")
    enqueue(client, "kidney_genetics", "a-client-s", "run_pipeline_task")

    broken = await patient.see("worker.queue-name")

    assert broken.status is Status.failed
    assert broken.remedy == "ARQ_QUEUE_NAME=kidney_genetics just worker"
    with following(patient, broken):
        async with asyncio.timeout(30):
            while not query(patient, "SELECT id FROM runs") or client.zcard("kidney_genetics"):
                await asyncio.sleep(0.1)
        # which is no place to stay
        assert "listen to another queue" in (await patient.see("worker.queue-name")).finding.summary
    await until_ok(patient, "worker.queue-name")
    assert query(patient, "SELECT sources FROM runs") == [{"sources": ["hgnc"]}]


async def test_queues_of_other_programs_are_named_and_left_alone(
    patient: Patient, client: "redis_sync.Redis"
) -> None:
    enqueue(client, "newsletters", "1", "send_letter")
    client.zadd("scores", {"somebody": 3})

    found = await patient.see("worker.queue-name")

    assert found.status is Status.ok
    assert "newsletters" in found.finding.summary
    assert "scores" not in found.finding.summary


async def test_jobs_that_no_worker_knows_are_taken_out_by_the_printed_command(
    patient: Patient, client: "redis_sync.Redis"
) -> None:
    enqueue(client, QUEUE, "good", "run_pipeline_task")
    enqueue(client, QUEUE, "of another program's", "send_letter")
    pickled = pickle.dumps({"f": "run_pipeline_task", "a": (), "k": {}, "t": None, "et": 1})
    client.set("arq:job:pickled", pickled)
    client.zadd(QUEUE, {"pickled": 1})

    broken = await patient.see("worker.functions")

    assert broken.status is Status.failed
    assert "function send_letter" in broken.finding.found
    assert "a pickle" in broken.finding.found
    follow(patient, broken)
    assert client.zrange(QUEUE, 0, -1) == [b"good"]
    assert (await patient.see("worker.functions")).status is Status.ok


async def test_a_lost_bell_is_rung_by_the_printed_command(
    patient: Patient, client: "redis_sync.Redis"
) -> None:
    run_id = run(patient)

    broken = await patient.see("worker.bells")

    assert broken.status is Status.warning
    assert f"run {run_id}" in broken.finding.found
    follow(patient, broken)
    assert client.zrange(QUEUE, 0, -1) == [f"{run_id}:1".encode()]
    assert client.exists(f"arq:job:{run_id}:1")
    assert (await patient.see("worker.bells")).status is Status.ok
    assert await patient.fix(broken) == []


async def test_what_is_left_of_attempts_that_are_over_is_removed(
    patient: Patient, client: "redis_sync.Redis"
) -> None:
    over, live = run(patient, "failed"), run(patient)
    for run_id in (over, live):
        enqueue(client, QUEUE, f"{run_id}:1", "run_pipeline_task")
        client.set(f"arq:in-progress:{run_id}:1", "1")
    client.set("arq:in-progress:a-client-s", "1")

    broken = await patient.see("worker.stale-keys")

    assert broken.status is Status.warning
    assert "2 keys of 1 attempts" in broken.finding.summary
    follow(patient, broken)
    assert client.zrange(QUEUE, 0, -1) == [f"{live}:1".encode()]
    assert client.exists(f"arq:in-progress:{live}:1", "arq:in-progress:a-client-s") == 2
    assert (await patient.see("worker.stale-keys")).status is Status.ok


async def test_a_redis_full_of_other_keys_is_not_read_to_its_end(
    patient: Patient, client: "redis_sync.Redis"
) -> None:
    with client.pipeline(transaction=False) as pipe:
        for number in range(100_000):
            pipe.set(f"somebody:{number}", "x")
        pipe.execute()

    found = await patient.all("worker.queue-name", "worker.stale-keys")

    for name in ("worker.queue-name", "worker.stale-keys"):
        assert found[name].status is Status.ok
        assert found[name].seconds < 1


COMPOSE = """\
services:
  redis:
    stop_grace_period: 5s
  arq-worker:
    image: x
    stop_grace_period: 5s
  api:
    stop_grace_period: 6s
"""


async def test_a_grace_period_of_compose_that_is_too_short_is_raised(patient: Patient) -> None:
    compose = patient.root / "compose.yaml"
    compose.write_text(COMPOSE)

    broken = await patient.see("worker.stop-timeout")

    assert broken.status is Status.failed
    assert "5.0 s" in broken.finding.summary
    follow(patient, broken)
    assert compose.read_text() == COMPOSE.replace(
        "x\n    stop_grace_period: 5s", "x\n    stop_grace_period: 30s"
    )
    assert (await patient.see("worker.stop-timeout")).status is Status.ok


async def test_a_grace_period_that_is_merged_is_found_and_raised(patient: Patient) -> None:
    compose = patient.root / "compose.yaml"
    merged = (
        "x-base: &base\n  restart: always\n\n"
        "x-app: &app\n  <<: *base\n  # long enough\n  stop_grace_period: 20s\n"
        "services:\n  db:\n    stop_grace_period: 1s\n"
        "  arq-worker:\n    <<: [*base, *app]\n    environment:\n      stop_grace_period: 1s\n"
    )
    compose.write_text(merged)
    assert (await patient.see("worker.stop-timeout")).status is Status.ok
    compose.write_text(merged.replace("20s", "2s"))

    broken = await patient.see("worker.stop-timeout")

    assert broken.status is Status.failed
    follow(patient, broken)
    assert compose.read_text() == merged.replace("20s", "30s")


async def test_the_projects_own_compose_file_gives_enough_time(patient: Patient) -> None:
    patient.root = REPOSITORY

    assert (await patient.see("worker.stop-timeout")).status is Status.ok


async def test_a_grace_period_that_compose_does_not_name_is_added(patient: Patient) -> None:
    compose = patient.root / "compose.yaml"
    compose.write_text("services:\n  arq-worker:\n    image: x\n")

    broken = await patient.see("worker.stop-timeout")

    assert broken.status is Status.failed
    assert "default" in broken.finding.found
    follow(patient, broken)
    assert (await patient.see("worker.stop-timeout")).status is Status.ok


@pytest.mark.parametrize(
    ("says", "status"), [("5s", Status.failed), ("1min 30s", Status.ok), ("infinity", Status.ok)]
)
async def test_the_time_that_systemd_gives_is_asked_for(
    patient: Patient, tmp_path: Path, says: str, status: Status
) -> None:
    programs, units = tmp_path / "programs", tmp_path / "units"
    programs.mkdir()
    units.mkdir()
    for name in ("kidney-genetics-worker.service", "kidney-genetics-worker@.service"):
        (units / name).touch()
    systemctl = programs / "systemctl"
    systemctl.write_text(
        "#!/bin/sh\nshift 2\nfor unit; do"
        f' printf "Id=%s\\nTimeoutStopUSec={says}\\n\\n" "$unit"; done\n'
    )
    systemctl.chmod(0o755)
    patient.env["PATH"] = f"{programs}:{patient.env['PATH']}"
    patient.about["units"] = units

    found = await patient.see("worker.stop-timeout")

    assert found.status is status
    if status is Status.failed:
        assert "TimeoutStopSec=30" in found.remedy
        assert "kidney-genetics-worker" in found.finding.summary


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1min 30s", 90), ("1m30s", 90), ('"30s"', 30), ("500ms", 0.5), ("infinity", float("inf"))],
)
def test_durations_of_systemd_and_compose_are_read(text: str, seconds: float) -> None:
    assert stop.duration(text) == seconds


def test_what_is_no_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="no duration"):
        stop.duration("soon")
