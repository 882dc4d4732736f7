import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

from app.annotation.settings import Settings
from app.cli.notify import RETRIES
from app.core.notify.channels import mail
from app.core.workers.engine import ANSWER_TIMEOUT
from app.core.workers.timing import DEFAULT_TIMING

REPOSITORY = Path(__file__).resolve().parents[4]
FOLDER = REPOSITORY / "deploy" / "systemd"
UNITS = ("kidney-genetics-api", "kidney-genetics-worker")
FAILURE = "kidney-genetics-failure@"
EXPOSURE = 1.5

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


class _Several(dict[str, str]):
    """A unit's section: what is given several times is kept, a line each."""

    def __setitem__(self, key: str, value: object) -> None:
        if isinstance(value, list) and key in self:
            value = [*self[key], *value]
        super().__setitem__(key, value)  # type: ignore[assignment]


def service(unit: str) -> dict[str, list[str]]:
    """The [Service] section."""
    parser = RawConfigParser(dict_type=_Several, strict=False, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(FOLDER / f"{unit}.service")
    return {name: value.splitlines() for name, value in parser["Service"].items()}


def analyze(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_LOG_LEVEL": "warning"},
    )


@needs_systemd
@pytest.mark.parametrize("unit", [*UNITS, FAILURE])
def test_it_is_exposed_as_little_as_can_be(unit: str) -> None:
    done = analyze("security", "--offline=true", "--no-pager", FOLDER / f"{unit}.service")
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stderr
    assert float(level[1]) <= EXPOSURE


@needs_systemd
@pytest.mark.parametrize("name", [*UNITS, "kidney-genetics-worker@", FAILURE])
def test_systemd_finds_nothing_wrong(name: str, tmp_path: Path) -> None:
    programs = tmp_path / "backend" / ".venv" / "bin"
    programs.mkdir(parents=True)
    for program in ("arq", "python"):
        (programs / program).touch(0o755)
    for each, source in {name: name if name in UNITS else UNITS[1], FAILURE: FAILURE}.items():
        text = (FOLDER / f"{source}.service").read_text()
        unit = tmp_path / f"{each}.service"
        unit.write_text(text.replace("/opt/kidney-genetics", str(tmp_path)))
    done = analyze("verify", "--man=no", tmp_path / f"{name}.service")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_it_is_where_operators_look_for_it(unit: str) -> None:
    section = service(unit)
    assert section["User"] == ["kidney"]
    assert section["EnvironmentFile"] == ["/opt/kidney-genetics/.env"]
    assert section["ExecStart"][0].startswith("/opt/kidney-genetics/backend/.venv/bin/")
    assert section["Restart"] == ["always"]
    assert section["Type"] == ["notify"]
    assert "WatchdogSec" in section


@pytest.mark.parametrize("unit", UNITS)
def test_people_are_told_when_it_fails(unit: str) -> None:
    assert f"OnFailure={FAILURE}%n.service" in (FOLDER / f"{unit}.service").read_text().splitlines()
    assert f"{FAILURE}.service" in (FOLDER / "install.sh").read_text()


def test_the_unit_that_tells_of_failures_has_time_for_all_its_attempts() -> None:
    section = service(FAILURE)
    assert section["ExecStart"] == [
        "/opt/kidney-genetics/backend/.venv/bin/python -m app.cli notify-failure %i"
    ]
    minutes = int(section["TimeoutStartSec"][0].removesuffix("min"))
    assert minutes * 60 > sum(RETRIES) + (len(RETRIES) + 1) * mail.ATTEMPT_TIMEOUT


@pytest.mark.parametrize("unit", UNITS)
def test_it_has_longer_to_stop_than_it_takes(unit: str) -> None:
    section = service(unit)
    assert int(section["TimeoutStopSec"][0]) > DEFAULT_TIMING.stop + 2 * ANSWER_TIMEOUT
    assert section["KillMode"] == ["mixed"]
    # by then the others take it for dead, and its runs with it
    assert int(section["WatchdogSec"][0]) <= DEFAULT_TIMING.stale


@pytest.mark.parametrize("unit", UNITS)
def test_what_it_sets_is_a_setting_or_pythons(unit: str) -> None:
    names = {line.split("=")[0] for line in service(unit)["Environment"]}
    ours = {name for name in names if not name.startswith("PYTHON")}
    assert ours <= {name.upper() for name in Settings.model_fields}


def test_the_two_differ_in_nothing_that_confines_them() -> None:
    api, worker = (service(unit) for unit in UNITS)
    assert api.keys() == worker.keys()
    assert {name for name in api if api[name] != worker[name]} == {"ExecStart"}


def test_the_installer_lets_the_services_user_read_the_code_and_nobody_else_the_secrets(
    tmp_path: Path,
) -> None:
    root = tmp_path / "kidney-genetics"
    code = ("backend/app/main.py", ".venv/lib/x.py", "justfile")
    for name in (*code, "deploy/systemd/x", "backups/a.dump", ".run/services.env", ".env"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / ".venv/bin").mkdir()
    (root / ".venv/bin/just").touch(0o700)
    (root / ".venv/bin/gone").symlink_to("/not/there")
    (root / ".venv/bin/python").symlink_to(sys.executable)
    shutil.copy(FOLDER / "install.sh", root / "deploy" / "systemd")
    for each in (root, *root.rglob("*")):
        if not each.is_symlink():
            each.chmod(0o700 if each.is_dir() or each.name == "just" else 0o600)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("id", "install", "chown", "systemctl", "useradd"):
        (programs / name).symlink_to("/bin/true")
    subprocess.run(
        ["sh", root / "deploy" / "systemd" / "install.sh"],
        env={"PATH": f"{programs}:/usr/bin:/bin"},
        check=True,
    )
    modes = {str(p.relative_to(root)): p.lstat().st_mode & 0o777 for p in root.rglob("*")}
    assert root.stat().st_mode & 0o777 == 0o755
    compiled = f"backend/app/__pycache__/main.{sys.implementation.cache_tag}.pyc"
    assert {modes[name] for name in (*code, compiled)} == {0o644}
    assert {modes[name] for name in ("backend", "backend/app", ".venv/lib")} == {0o755}
    assert modes[".venv/bin/just"] == 0o755
    assert {modes[name] for name in (".env", "backups/a.dump", ".run/services.env")} == {0o600}
    assert {modes["backups"], modes[".run"]} == {0o700}
