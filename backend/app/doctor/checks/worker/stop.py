"""Whether a worker that is told to stop gets the time to put its runs back."""

import asyncio
import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from app.core.workers.timing import DEFAULT_TIMING
from app.doctor.check import Finding, check, failed, ok
from app.doctor.checks.commands import WORKER_UNIT
from app.doctor.checks.words import span
from app.doctor.context import PATIENCE, Context

GRACE = DEFAULT_TIMING.stop + 5.0 + 2.0
"""Seconds that a stop may take: an attempt comes to its end, bells that are being rung are waited
for (``LOOK_TIMEOUT`` in ``app/core/workers/engine.py``), and sessions are closed."""

SERVICE = "arq-worker"

COMPOSE_DEFAULT = 10.0
"""Seconds (https://docs.docker.com/reference/compose-file/services/#stop_grace_period)."""

_UNITS = {
    "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800,
    "month": 2_629_800, "y": 31_557_600,
}  # fmt: skip

_REMEDY_OF_UNIT = (
    "sudo mkdir -p /etc/systemd/system/{unit}.d\n"
    "printf '[Service]\\nTimeoutStopSec=30\\n'"
    " | sudo tee /etc/systemd/system/{unit}.d/stop.conf\n"
    "sudo systemctl daemon-reload"
)


@check(
    "worker.stop-timeout",
    "a worker that is stopped gets the time to put its runs back",
    symptom="A restart of a worker leaves `lost` among a run's events, and not `interrupted`.",
    why="A worker that is killed before it is done leaves its runs as lost ones: they are found,"
    " but three such losses in a row fail a run.",
)
async def stop_timeout(context: Context) -> Finding:
    """Look at the installed units and at compose.yaml."""
    seen = []
    for unit, seconds in (await _units(context)).items():
        if seconds < GRACE:
            return failed(
                f"systemd kills {unit} {span(seconds)} after it was told to stop",
                required=f"TimeoutStopSec of {GRACE:.0f} s or more",
                found=span(seconds),
                remedy=_REMEDY_OF_UNIT.format(unit=unit),
            )
        seen.append(f"systemd gives {'any time' if math.isinf(seconds) else span(seconds)}")
    compose = context.root / "compose.yaml"
    if compose.exists():
        seconds, line = _grace_period(compose)
        if seconds < GRACE:
            return failed(
                f"compose.yaml lets {SERVICE} be killed {span(seconds)} after it was told to stop",
                required=f"stop_grace_period of {GRACE:.0f} s or more",
                found=span(seconds) + ("" if line else ", Compose's default: it has none"),
                remedy=_compose_remedy(line),
            )
        seen.append(f"compose.yaml gives {span(seconds)}")
    if not seen:
        return ok(f"no unit and no compose.yaml here; `just worker` takes {GRACE:.0f} s at most")
    return ok(f"{'; '.join(dict.fromkeys(seen))}; a worker takes {GRACE:.0f} s at most")


def _compose_remedy(line: int | None) -> str:
    if line is None:
        return f"sed -i 's/^  {SERVICE}:.*/&\\n    stop_grace_period: 30s/' compose.yaml"
    return f"sed -i '{line}s/stop_grace_period:.*/stop_grace_period: 30s/' compose.yaml"


async def _units(context: Context) -> dict[str, float]:
    """Return the time that systemd gives each installed unit of a worker."""
    program = shutil.which("systemctl", path=context.environ.get("PATH"))
    names = sorted(each.name for each in context.units.glob(f"{WORKER_UNIT}*.service"))
    if program is None or not names:
        return {}
    # a template has no properties, one of its units does
    asked = [name.replace("@.", "@1.") for name in names]
    process = await asyncio.create_subprocess_exec(
        program,
        "show",
        "--property=Id,TimeoutStopUSec",
        *asked,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=dict(context.environ),
    )
    try:
        async with asyncio.timeout(context.within(PATIENCE)):
            said, _ = await process.communicate()
    except BaseException:
        process.kill()
        raise
    found = {}
    for block in said.decode(errors="replace").split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if fields.get("TimeoutStopUSec"):
            found[fields.get("Id", WORKER_UNIT)] = duration(fields["TimeoutStopUSec"])
    return found


def duration(text: str) -> float:
    """Read what systemd and Compose write: ``1min 30s``, ``1m30s``, ``infinity``.

    Raises:
        ValueError: it is none.
    """
    text = text.strip().strip("\"'")
    if text == "infinity":
        return math.inf
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]+)\s*", text)
    if not parts or "".join(a + b for a, b in parts) != text.replace(" ", ""):
        raise ValueError(f"{text!r} is no duration")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _grace_period(compose: Path) -> tuple[float, int | None]:
    """Return what compose.yaml gives the worker, and in which line.

    YAML is not among what the project needs to run: blocks are found by their indentation, and
    merged ones (``<<: *app``) by their anchors.
    """
    lines = compose.read_text(encoding="utf-8").splitlines()
    anchors = {
        found[1]: place
        for place, line in enumerate(lines)
        if (found := re.match(r" *[^\s#][^:#]*:\s*&([\w-]+)", line))
    }

    def look(place: int) -> tuple[float, int] | None:
        merged: list[str] = []
        for number, line in _children(lines, place):
            if found := re.match(r"\s*stop_grace_period:\s*([^#]+)", line):
                return duration(found[1]), number
            if re.match(r"\s*<<:", line):
                merged += re.findall(r"\*([\w-]+)", line)
        return next((each for name in merged if (each := look(anchors[name]))), None)

    service = re.compile(rf"  ['\"]?{SERVICE}['\"]?:")
    place = next((place for place, line in enumerate(lines) if service.match(line)), None)
    said = None if place is None else look(place)
    return (COMPOSE_DEFAULT, None) if said is None else said


def _children(lines: list[str], place: int) -> Iterator[tuple[int, str]]:
    """Give the lines one level below a line, with their numbers from 1."""
    depth = None
    for number, line in enumerate(lines[place + 1 :], place + 2):
        indent = len(line) - len(line.lstrip())
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if indent <= len(lines[place]) - len(lines[place].lstrip()):
            return
        depth = indent if depth is None else depth
        if indent == depth:
            yield number, line


CHECKS = (stop_timeout,)
