import os
import shlex
from pathlib import Path

from app.doctor.check import Finding, check, ok, warning
from app.doctor.context import Context


@check(
    "host.units",
    "the installed systemd units are those of this checkout",
    symptom="A change to a unit in deploy/systemd has no effect.",
    why="An older unit stops the worker too early, or lets it do less, or more, than it needs.",
    remedy="sudo sh deploy/systemd/install.sh",
)
async def units(context: Context) -> Finding:
    """Compare the installed units with those in ``deploy/systemd``."""
    installed = sorted(context.units.glob("kidney-genetics-*.service"))
    if not installed:
        return ok("no systemd units are installed here")
    different = {file: _origin(context, file) for file in installed}
    different = {
        file: origin
        for file, origin in different.items()
        if not origin.is_file() or origin.read_bytes() != file.read_bytes()
    }
    if not different:
        return ok(f"{len(installed)} systemd units are those of this checkout")
    return warning(
        f"not as in this checkout: {', '.join(file.name for file in different)}",
        required="the units of deploy/systemd; what is changed on purpose goes into a drop-in:"
        " systemctl edit UNIT",
        found="other ones",
        remedy="\n".join(
            [_mend(context, *pair) for pair in different.items()] + [_reload(context)]
        ),
    )


def _origin(context: Context, installed: Path) -> Path:
    # kidney-genetics-worker@.service is a copy of the one without the @
    return context.root / "deploy" / "systemd" / installed.name.replace("@", "")


def _mend(context: Context, installed: Path, origin: Path) -> str:
    if not origin.is_file():
        return f"{_sudo(context)}rm {shlex.quote(str(installed))}"
    source = shlex.quote(str(origin.relative_to(context.root)))
    return f"{_sudo(context)}install -m 644 {source} {shlex.quote(str(installed))}"


def _reload(context: Context) -> str:
    return f"{_sudo(context)}systemctl daemon-reload"


def _sudo(context: Context) -> str:
    return "" if os.access(context.units, os.W_OK) else "sudo "
