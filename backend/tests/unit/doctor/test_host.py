import os
import shlex
import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest

from app.core.checks import Status
from app.doctor.checks.host import judge_load
from tests.patient import REPOSITORY, Patient


def program(folder: Path, name: str, script: str) -> None:
    """Put a program of the test's own on the PATH."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def units(patient: Patient) -> Path:
    """A folder of installed systemd units, which are those of this checkout."""
    shutil.copytree(REPOSITORY / "deploy" / "systemd", patient.root / "deploy" / "systemd")
    folder = patient.root / "units"
    folder.mkdir()
    for unit in ("kidney-genetics-api.service", "kidney-genetics-worker.service"):
        shutil.copy(patient.root / "deploy" / "systemd" / unit, folder)
    shutil.copy(
        folder / "kidney-genetics-worker.service", folder / "kidney-genetics-worker@.service"
    )
    patient.about["units"] = folder
    return folder


async def test_units_that_are_not_installed_are_no_problem(patient: Patient) -> None:
    result = await patient.see("host.units", units=patient.root)
    assert result.finding.summary == "no systemd units are installed"


async def test_units_of_this_checkout_pass(patient: Patient, units) -> None:
    (units / "kidney-genetics-of-the-group.service").write_text("[Service]\n")
    result = await patient.see("host.units")
    assert result.finding.summary == "4 systemd units are those of this checkout"


async def test_units_of_another_version_are_reported_and_the_command_installs_them(
    patient: Patient, units
) -> None:
    template = units / "kidney-genetics-worker@.service"
    template.write_text(template.read_text().replace("TimeoutStopSec=30", "TimeoutStopSec=3"))
    result = await patient.see("host.units")
    assert result.status is Status.warning
    assert result.finding.summary == (
        "units differ from this checkout: kidney-genetics-worker@.service"
    )
    tools = patient.root / "bin"
    script = patient.root / "deploy" / "systemd" / "install.sh"
    script.write_text(script.read_text().replace("/etc/systemd/system", str(units)))
    program(tools, "sudo", 'exec "$@"')
    for name in ("systemctl", "useradd", "chown"):
        program(tools, name, "exit 0")
    patient.env["PATH"] = f"{tools}:{os.environ['PATH']}"
    patient.follow(result)
    assert (await patient.see("host.units")).status is Status.ok


@pytest.mark.parametrize(
    ("processes", "cores", "status"),
    [
        (9.5, 2, Status.warning),
        (3.0, 2, Status.ok),
        (4.0, 4, Status.ok),
        (0.0, 1, Status.ok),
    ],
)
def test_more_processes_than_the_cores_can_serve_are_an_overload(processes, cores, status) -> None:
    assert judge_load(processes, cores).status is status


async def test_the_command_for_an_overload_lists_the_processes_that_cause_it(patient) -> None:
    result = await patient.see("host.load")
    assert "processes want to run on" in result.finding.summary
    assert "PID" in patient.shell(result.check.remedy)


@pytest.fixture
def lock(patient: Patient) -> Path:
    """The lock of the patient's checkout."""
    (patient.root / "requirements").mkdir()
    return patient.root / "requirements" / "base.txt"


@pytest.fixture
def packages(patient: Patient, lock, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that take precedence over the installed ones, until `make` is called."""
    folder = patient.root / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "prefix", str(patient.root / ".venv"))
    (patient.root / "Makefile").write_text("all:\n\trm -r packages/*.dist-info\n")
    return folder


async def test_the_packages_of_the_tests_are_those_of_the_lock() -> None:
    assert (await Patient(REPOSITORY).see("install.packages")).status is Status.ok


async def test_the_conditions_of_the_lock_are_respected(patient: Patient, lock) -> None:
    pins = [
        "click==0.0.1 ; sys_platform == 'win32' \\",
        f"anyio=={metadata.version('anyio')} \\",
        f"redis[hiredis]=={metadata.version('redis')} ; python_version >= '3.11' \\",
    ]
    lock.write_text("\n".join(pins))
    result = await patient.see("install.packages")
    assert result.finding.summary == "2 packages have the versions of the lock"


async def test_a_package_of_another_version_is_replaced_by_the_command(
    patient: Patient, lock, packages
) -> None:
    lock.write_text(f"redis=={metadata.version('redis')} \\\n")
    assert (await patient.see("install.packages")).status is Status.ok
    info = packages / "redis-6.4.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: redis\nVersion: 6.4.0\n")
    result = await patient.see("install.packages")
    assert result.status is Status.failed
    assert result.finding.found == "redis 6.4.0"
    patient.follow(result)
    assert (await patient.see("install.packages")).status is Status.ok


async def test_a_missing_package_is_reported_with_the_command_of_this_python(
    patient: Patient, lock
) -> None:
    lock.write_text("no-such-package==1.0 \\\n")
    result = await patient.see("install.packages")
    assert result.status is Status.failed
    assert result.finding.found == "no-such-package missing"
    assert (
        result.remedy == f"{shlex.quote(sys.executable)} -m pip install --require-hashes"
        " --only-binary :all: -r requirements/base.txt"
    )
