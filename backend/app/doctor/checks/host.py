"""The checks of the machine: installed packages, installed units, and the load."""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Iterator
from importlib import metadata

from app.core.checks import Check, Finding, check, failed, ok, warning
from app.doctor.context import Context

BUSY_LOAD = 1.5
"""The number of runnable processes per processor core from which on the check warns."""

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)(?:\s*;\s*([^\\]+))?", re.MULTILINE)
"""A package in a lock: its name, its version and the condition under which it is installed."""


def _locked(context: Context) -> Iterator[tuple[str, str]]:
    from packaging.markers import Marker

    file = context.root / "requirements" / "base.txt"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    for package, version, marker in _PIN.findall(text):
        if not marker or Marker(marker.strip()).evaluate():
            yield package, version


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


@check(
    "install.packages",
    "the installed packages are those of the lock",
    symptom="A command stops with `ModuleNotFoundError`, or with an error inside a library.",
    why="Only the versions in the lock were tested together. For example, arq 0.28 needs a version"
    " of redis-py below 6.",
    remedy="rm -rf .venv && make",
)
async def packages(context: Context) -> Finding:
    """Compare the installed packages with requirements/base.txt."""
    locked = await asyncio.to_thread(lambda: dict(_locked(context)))
    installed = await asyncio.to_thread(lambda: {name: _installed(name) for name in locked})
    wrong = {name: version for name, version in locked.items() if installed[name] != version}
    if not wrong:
        return ok(f"{len(locked)} packages have the versions of the lock")
    ours = sys.prefix == str(context.root / ".venv")
    pip = f"{shlex.quote(sys.executable)} -m pip install --require-hashes --only-binary :all:"
    return failed(
        f"{len(wrong)} installed packages differ from the lock",
        required=", ".join(f"{name} {version}" for name, version in wrong.items()),
        found=", ".join(f"{name} {installed[name]}" for name in wrong),
        remedy="" if ours else f"{pip} -r requirements/base.txt",
    )


@check(
    "host.load",
    "the machine has enough processor time",
    symptom="Everything is slow, and the doctor reports checks as not looked at.",
    why="On an overloaded machine, heartbeats and answers are late, which looks like a fault of"
    " PostgreSQL, Redis or a source.",
    remedy="ps -eo pid,user,pcpu,etime,args --sort=-pcpu | head",
)
async def load(context: Context) -> Finding:
    """Check the load average of the last minute."""
    del context
    return judge_load(os.getloadavg()[0], os.cpu_count() or 1)


def judge_load(processes: float, cores: int) -> Finding:
    """Return a warning if there are too many runnable processes for the number of cores."""
    where = f"{cores} core{'s' if cores > 1 else ''}"
    if processes <= BUSY_LOAD * cores:
        return ok(f"{processes:.1f} processes want to run on {where}")
    return warning(
        f"this machine is overloaded: {processes:.0f} processes want to run on {where}",
        required=f"at most {BUSY_LOAD:g} per core",
        found=f"{processes:.1f} on average in the last minute",
    )


@check(
    "host.units",
    "the installed systemd units are those of this checkout",
    symptom="A change to a unit in deploy/systemd has no effect, or a restart of a worker leaves"
    " `lost` among the events of its runs.",
    why="An old unit may give a worker too little time to stop, too little memory, or too many"
    " permissions.",
    remedy="sudo sh deploy/systemd/install.sh",
)
async def units(context: Context) -> Finding:
    """Compare the installed units with those in ``deploy/systemd``."""
    installed = sorted(context.units.glob("kidney-genetics-*.service"))
    if not installed:
        return ok("no systemd units are installed")
    shipped = context.root / "deploy" / "systemd"
    # a template, kidney-genetics-worker@.service, is a copy of the unit without the @
    origins = {file: shipped / file.name.replace("@", "") for file in installed}
    different = [
        file.name
        for file, origin in origins.items()
        if origin.is_file() and origin.read_bytes() != file.read_bytes()
    ]
    if not different:
        return ok(f"{len(installed)} systemd units are those of this checkout")
    return warning(
        f"units differ from this checkout: {', '.join(different)}",
        required="the units of deploy/systemd; put your own changes into a drop-in with"
        " systemctl edit UNIT",
        found="other files",
    )


CHECKS: tuple[Check, ...] = (packages, load, units)
