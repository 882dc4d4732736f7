import shlex
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from app.doctor.check import Status
from tests.patient import REPOSITORY, Patient


@pytest.fixture
def checkout(patient: Patient) -> Patient:
    """A checkout with the real lock, and a folder of packages in front of the installed ones."""
    (patient.root / "backend").symlink_to(REPOSITORY / "backend")
    (patient.root / "requirements").mkdir()
    for name in ("base.txt", "test.txt"):
        lock = (REPOSITORY / "requirements" / name).read_text()
        (patient.root / "requirements" / name).write_text(lock)
    return patient


def install(folder: Path, name: str, version: str) -> None:
    """Put the traces of a package where Python finds them first."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.fixture
def reinstall(checkout: Patient, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that `make` empties, as the real one would install the lock anew."""
    folder = checkout.root / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "prefix", str(checkout.root / ".venv"))
    (checkout.root / "Makefile").write_text("all:\n\trm -r packages/*.dist-info\n")
    return folder


async def test_python_is_as_the_project_asks_for(checkout: Patient) -> None:
    assert (await checkout.see("install.python")).status is Status.ok


async def test_a_python_that_is_too_old_is_told(patient: Patient) -> None:
    project = patient.root / "backend" / "pyproject.toml"
    project.parent.mkdir()
    project.write_text('[project]\nrequires-python = ">=3.99"\n')
    (patient.root / "Makefile").write_text(
        f"all:\n\tcp '{REPOSITORY / 'backend' / 'pyproject.toml'}' backend/\n"
    )
    result = await patient.see("install.python")
    assert result.status is Status.failed
    assert result.finding.required == "Python >=3.99"
    patient.follow(result)
    assert (await patient.see("install.python")).status is Status.ok


async def test_the_markers_of_the_lock_are_respected(checkout: Patient, reinstall) -> None:
    pins = [
        "click==0.0.1 ; sys_platform == 'win32' \\",
        f"anyio=={metadata.version('anyio')} \\",
        f"redis[hiredis]=={metadata.version('redis')} ; python_version >= '3.11' \\",
    ]
    (checkout.root / "requirements" / "base.txt").write_text("\n".join(pins))
    (checkout.root / "requirements" / "test.txt").write_text("\n".join(pins))
    result = await checkout.see("install.packages")
    assert result.finding.summary == "2 packages are as locked"


@pytest.mark.parametrize(
    ("name", "status"), [("click", Status.failed), ("hypothesis", Status.warning)]
)
async def test_a_package_that_is_not_as_locked_is_reinstalled(
    checkout: Patient, reinstall, name: str, status: Status
) -> None:
    base = checkout.root / "requirements" / "base.txt"
    test = checkout.root / "requirements" / "test.txt"
    base.write_text(f"click=={metadata.version('click')} \\\n")
    test.write_text(base.read_text() + f"hypothesis=={metadata.version('hypothesis')} \\\n")
    assert (await checkout.see("install.packages")).status is Status.ok
    install(reinstall, name, "0.0.1")
    result = await checkout.see("install.packages")
    assert result.status is status
    assert result.finding.found == f"{name} 0.0.1"
    assert metadata.version(name) == "0.0.1"
    checkout.follow(result)
    assert (await checkout.see("install.packages")).status is Status.ok


async def test_a_package_that_is_missing_is_told(checkout: Patient) -> None:
    for name in ("base.txt", "test.txt"):
        (checkout.root / "requirements" / name).write_text("no-such-package==1.0 \\\n")
    result = await checkout.see("install.packages")
    assert result.status is Status.failed
    assert result.finding.found == "no-such-package missing"
    assert (
        result.remedy == f"{shlex.quote(sys.executable)} -m pip install --require-hashes"
        " --only-binary :all: -r requirements/base.txt"
    )


async def test_a_redis_py_that_arq_cannot_use_is_replaced(checkout: Patient, reinstall) -> None:
    assert (await checkout.see("install.redis-py")).status is Status.ok
    install(reinstall, "redis", "6.4.0")
    result = await checkout.see("install.redis-py")
    assert result.status is Status.failed
    assert "redis 6.4.0" in result.finding.found
    checkout.follow(result)
    assert (await checkout.see("install.redis-py")).status is Status.ok


async def test_an_arq_that_an_installer_went_back_to_is_replaced(
    checkout: Patient, reinstall
) -> None:
    install(reinstall, "arq", "0.25.0")
    result = await checkout.see("install.redis-py")
    assert result.status is Status.failed
    checkout.follow(result)
    assert (await checkout.see("install.redis-py")).status is Status.ok


async def test_another_app_among_the_packages_is_moved_aside(checkout: Patient, reinstall) -> None:
    assert (await checkout.see("install.app")).status is Status.ok
    (reinstall / "app").mkdir()
    (reinstall / "app" / "__init__.py").touch()
    result = await checkout.see("install.app")
    assert result.status is Status.failed
    assert result.finding.found == str(reinstall / "app")
    checkout.follow(result)
    assert (await checkout.see("install.app")).status is Status.ok


async def test_another_app_that_a_package_brought_is_uninstalled(
    checkout: Patient, reinstall
) -> None:
    install(reinstall, "other", "1.0")
    (reinstall / "other-1.0.dist-info" / "RECORD").write_text("app/__init__.py,,\n")
    (reinstall / "app").mkdir()
    (reinstall / "app" / "__init__.py").touch()
    result = await checkout.see("install.app")
    assert result.remedy == f"{shlex.quote(sys.executable)} -m pip uninstall -y other"


def test_another_app_on_the_shells_path_is_unset(checkout: Patient) -> None:
    other = checkout.root / "other"
    (other / "app").mkdir(parents=True)
    (other / "app" / "__init__.py").touch()
    checkout.env["PYTHONPATH"] = str(other)
    broken = checkout.doctor("--only", "install.app")
    assert broken.returncode == 1
    assert str(other / "app") in broken.stdout
    assert "unset PYTHONPATH" in broken.stdout
    again = f"cd '{REPOSITORY}/backend'; '{sys.executable}' -m app.cli doctor --only install.app"
    assert "ok   install.app" in checkout.shell(f"unset PYTHONPATH; {again}")


async def test_code_of_another_checkout_is_told(patient: Patient) -> None:
    result = await patient.see("install.app")
    assert result.status is Status.failed
    assert result.finding.found == str(REPOSITORY / "backend" / "app")


@pytest.fixture
def installed_for() -> Iterator[Path]:
    """A checkout where anybody may come, with units of a user who is not the owner."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        root = Path(folder)
        root.chmod(0o755)
        for each in ("backend/app", ".venv/lib/python3.11/site-packages/arq", "units"):
            (root / each).mkdir(parents=True)
        (root / "backend" / "app" / "main.py").touch()
        (root / "units" / "kidney-genetics-api.service").write_text("[Service]\nUser=nobody\n")
        yield root


async def test_code_that_the_services_user_cannot_read_is_found(installed_for: Path) -> None:
    patient = Patient(installed_for, about={"units": installed_for / "units"})
    assert (await patient.see("install.readable")).status is Status.ok
    closed = (
        (installed_for, 0o700),
        (installed_for / "backend" / "app", 0o750),
        (installed_for / "backend" / "app" / "main.py", 0o600),
        (installed_for / ".venv" / "lib" / "python3.11" / "site-packages" / "arq", 0o700),
    )
    for path, mode in closed:
        before = path.stat().st_mode
        path.chmod(mode)
        seen = await patient.see("install.readable")
        assert seen.finding.found == f"{path}, mode {mode:03o}"
        assert seen.remedy == "sudo sh deploy/systemd/install.sh"
        path.chmod(before)


async def test_who_has_no_units_installed_needs_no_other_reader(checkout: Patient) -> None:
    checkout.about["units"] = checkout.root / "none"
    assert (await checkout.see("install.readable")).status is Status.ok
