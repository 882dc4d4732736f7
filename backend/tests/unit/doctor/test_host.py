import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.doctor.check import Status
from app.doctor.checks.host.load import judge_load
from app.doctor.checks.redis.room import judge_clock
from tests.patient import REPOSITORY, Patient


def program(folder: Path, name: str, script: str) -> None:
    """Put a program of the test's own on the PATH."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_too_few_open_files_are_raised_by_the_command(patient: Patient) -> None:
    doctor = (
        f"cd '{REPOSITORY}/backend'; '{sys.executable}' -m app.cli doctor --only host.open-files"
    )
    broken = patient.shell(f"ulimit -S -n 200; {doctor} || true")
    assert "FAIL host.open-files: only 200 open files" in broken
    command = next(line for line in broken.splitlines() if "ulimit" in line).split("mend")[1]
    mended = patient.shell(f"ulimit -S -n 200; {command.strip()}; {doctor}")
    assert "ok   host.open-files" in mended


def test_a_hard_limit_is_raised_from_outside(patient: Patient) -> None:
    doctor = (
        f"cd '{REPOSITORY}/backend'; '{sys.executable}' -m app.cli doctor --only host.open-files"
    )
    assert "prlimit --pid $$ --nofile=4096" in patient.shell(f"ulimit -n 200; {doctor} || true")


async def test_a_free_port_is_fine(patient: Patient, unused_port: int) -> None:
    result = await patient.see("host.port", api_port=unused_port)
    assert result.finding.summary == f"port {unused_port} is free"


@pytest.fixture
async def unused_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def test_the_api_may_have_its_port(patient: Patient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            body = b'{"status":"live"}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    result = await patient.see("host.port", api_port=port)
    server.close()
    assert result.finding.summary == f"the API answers on port {port}"


@pytest.fixture
def other_program(patient: Patient) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A web server that is not the API, and its port."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"],
        cwd=patient.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        yield process, int(process.stdout.readline().split(" port ")[1].split()[0])
        process.kill()


async def test_who_else_has_the_port_is_named_and_ended_by_the_command(
    patient: Patient, other_program
) -> None:
    process, port = other_program
    result = await patient.see("host.port", api_port=port)
    assert result.status is Status.failed
    assert "HTTP 404" in result.finding.found
    assert result.remedy.startswith(f"kill {process.pid} ")
    patient.follow(result)
    assert process.wait(10) == -signal.SIGTERM
    assert (await patient.see("host.port", api_port=port)).status is Status.ok


async def test_a_clock_that_nobody_keeps_is_synchronised_by_the_command(patient: Patient) -> None:
    tools = patient.root / "bin"
    program(
        tools,
        "timedatectl",
        f"""cd {tools}
        case "$*" in
        'show --property NTPSynchronized --value') cat synchronized 2>/dev/null || echo no ;;
        'set-ntp true') echo yes > synchronized ;;
        *) exit 64 ;;
        esac""",
    )
    program(tools, "sudo", 'exec "$@"')
    patient.env["PATH"] = f"{tools}:{os.environ['PATH']}"
    result = await patient.see("host.clock")
    assert result.status is Status.warning
    patient.follow(result)
    assert (await patient.see("host.clock")).finding.summary == "the clock is synchronised"


async def test_without_systemd_the_kernel_is_asked(patient: Patient) -> None:
    tools = patient.root / "bin"
    program(tools, "timedatectl", "exit 1")
    patient.env["PATH"] = str(tools)
    result = await patient.see("host.clock")
    assert result.status in {Status.ok, Status.warning}
    assert result.finding.summary != "nobody here can tell whether the clock is kept right"


async def test_a_time_zone_that_is_none_is_unset(patient: Patient) -> None:
    patient.env["TZ"] = "Europe/Nowhere"
    result = await patient.see("host.time-zone")
    assert result.status is Status.failed
    assert "TZ=" not in patient.shell(f"{result.remedy}; env")
    patient.env["TZ"] = "Europe/Berlin"
    assert (await patient.see("host.time-zone")).finding.summary == (
        "times are shown in Europe/Berlin"
    )


@pytest.fixture
def units(patient: Patient) -> Path:
    """Where systemd's units are installed, with those of this checkout."""
    shutil.copytree(REPOSITORY / "deploy" / "systemd", patient.root / "deploy" / "systemd")
    folder = patient.root / "units"
    folder.mkdir()
    for unit in ("kidney-genetics-api.service", "kidney-genetics-worker.service"):
        shutil.copy(patient.root / "deploy" / "systemd" / unit, folder)
    shutil.copy(
        folder / "kidney-genetics-worker.service", folder / "kidney-genetics-worker@.service"
    )
    program(patient.root / "bin", "systemctl", f"echo $* >> {patient.root}/told")
    patient.env["PATH"] = f"{patient.root / 'bin'}:{os.environ['PATH']}"
    patient.about["units"] = folder
    return folder


async def test_units_that_are_not_installed_are_no_problem(patient: Patient) -> None:
    result = await patient.see("host.units", units=patient.root)
    assert result.finding.summary == "no systemd units are installed here"


async def test_units_of_this_checkout_are_fine(patient: Patient, units) -> None:
    result = await patient.see("host.units")
    assert result.finding.summary == "3 systemd units are those of this checkout"


async def test_units_of_another_version_are_installed_anew(patient: Patient, units) -> None:
    template = units / "kidney-genetics-worker@.service"
    template.write_text(template.read_text().replace("TimeoutStopSec=30", "TimeoutStopSec=3"))
    (units / "kidney-genetics-former.service").write_text("[Service]\n")
    result = await patient.see("host.units")
    assert result.status is Status.warning
    assert result.finding.summary == (
        "not as in this checkout: kidney-genetics-former.service, kidney-genetics-worker@.service"
    )
    patient.follow(result)
    assert (await patient.see("host.units")).status is Status.ok
    assert (patient.root / "told").read_text() == "daemon-reload\n"


@pytest.mark.parametrize(
    ("now", "minute", "cores", "status"),
    [
        (4, 0.3, 2, Status.warning),
        (0, 9.5, 2, Status.warning),
        (3, 2.9, 2, Status.ok),
        (4, 4.0, 4, Status.ok),
        (0, 0.0, 1, Status.ok),
    ],
)
def test_more_processes_than_the_cores_can_serve_are_an_overload(
    now, minute, cores, status
) -> None:
    assert judge_load(now, minute, cores).status is status


async def test_the_load_is_counted_and_whoever_causes_it_can_be_found(patient) -> None:
    result = await patient.see("host.load")
    assert "processes want to run on" in result.finding.summary
    assert result.status in {Status.ok, Status.warning}
    assert "PID" in patient.shell(result.check.remedy)


def test_a_clock_is_not_called_wrong_for_the_time_that_the_question_took() -> None:
    assert judge_clock("Redis", 3.0, 0.01, "").status is Status.warning
    assert judge_clock("Redis", 3.0, 1.5, "").status is Status.ok
    assert judge_clock("Redis", -40.0, 1.5, "").status is Status.failed
