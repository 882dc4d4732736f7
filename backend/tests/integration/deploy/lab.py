"""A real systemd of the tests' own, in namespaces, with this checkout at /opt/kidney-genetics."""

import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from harness.timing import WAIT, scaled
from harness.waiting import until

BACKEND = Path(__file__).resolve().parents[3]
REPOSITORY = BACKEND.parent
BOOT = Path(__file__).with_name("boot.sh")
UNSHARE = ("unshare", "--mount", "--pid", "--fork", "--cgroup", "--kill-child=KILL")


def missing() -> str | None:
    """Why no systemd can be started here; None when one can."""
    if os.geteuid() != 0:
        return "only root can give a systemd namespaces of its own"
    for program in ("unshare", "nsenter", "systemd-analyze", "/lib/systemd/systemd", "useradd"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if _cgroups() is None:
        return "no cgroup2 file system is mounted"
    tried = subprocess.run(
        [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True
    )
    return "the kernel lets root mount nothing here" if tried.returncode else None


class Lab:
    """One booted systemd."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log

    def __call__(self, *command: str, check: bool = True) -> str:
        """Run a command beside it; return what it prints, on both channels."""
        done = subprocess.run(
            ["nsenter", f"--target={self.pid}", "-m", "-p", "-C", "-r", "-w", *command],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=scaled(WAIT),
        )
        if check:
            assert done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Write a file of its machine."""
        subprocess.run(
            ["nsenter", f"--target={self.pid}", "-m", "-r", "sh", "-c", 'cat >"$1"', "sh", path],
            input=text.encode(),
            check=True,
        )

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        lines = self("systemctl", "show", unit, f"--property={','.join(names)}").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def journal(self, unit: str) -> str:
        """What a unit has logged."""
        return self("journalctl", "--no-pager", "--output=cat", "--unit", unit)


@contextmanager
def booted(folder: Path, env: Mapping[str, str]) -> Iterator[Lab]:
    """Boot a systemd whose /opt/kidney-genetics has this code, and these settings in its `.env`."""
    _lay_out(folder / "checkout", env)
    (folder / "scratch").mkdir()
    cgroups = _cgroups()
    assert cgroups is not None
    cgroup = cgroups / f"kidney-genetics-{uuid.uuid4().hex}"
    cgroup.mkdir()
    log = folder / "systemd.log"
    site = Path(sys.prefix) / "lib"
    enter = f'echo $$ >{cgroup}/cgroup.procs; exec "$@"'
    boot = ["sh", str(BOOT), str(folder / "scratch"), sys.base_prefix, str(site)]
    with log.open("wb") as out:
        shell = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "sh", "-c", enter, "sh", *UNSHARE, *boot],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _wait(shell, log)
    finally:
        shell.kill()
        shell.wait()
        until(lambda: "populated 0" in (cgroup / "cgroup.events").read_text())
        for each in sorted(cgroup.glob("**/"), reverse=True):
            each.rmdir()


def _wait(shell: subprocess.Popen[bytes], log: Path) -> Lab:
    labs: list[Lab] = []

    def up() -> bool:
        assert shell.poll() is None, log.read_text()
        for child in psutil.Process(shell.pid).children():
            if child.name() == "systemd":
                lab = Lab(child.pid, log)
                labs[:] = [lab]
                return "running" in lab("systemctl", "is-system-running", check=False)
        return False

    try:
        until(up)
    except TimeoutError as error:
        raise AssertionError(log.read_text()) from error
    return labs[0]


def _lay_out(checkout: Path, env: Mapping[str, str]) -> None:
    """What a checkout has, but for what is bound into it."""
    for part in ("backend/app", "backend/tests/reliability", "deploy"):
        shutil.copytree(
            REPOSITORY / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    (checkout / "backend" / ".venv").symlink_to("../.venv")
    (checkout / ".env").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
    venv = checkout / ".venv"
    (venv / "bin").mkdir(parents=True)
    python = Path(sys.executable).resolve().relative_to(sys.base_prefix)
    (venv / "bin" / "python").symlink_to(Path("/opt/python") / python)
    (venv / "pyvenv.cfg").write_text(f"home = {Path('/opt/python') / python.parent}\n")
    arq = (Path(sys.prefix) / "bin" / "arq").read_text()
    # a script's first line names the Python of its own .venv
    (venv / "bin" / "arq").write_text(
        re.sub(r"\A#!.*", "#!/opt/kidney-genetics/.venv/bin/python", arq)
    )
    (venv / "bin" / "arq").chmod(0o755)


def _cgroups() -> Path | None:
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    return None
