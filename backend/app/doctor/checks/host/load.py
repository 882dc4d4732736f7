import asyncio
import os
import re
from pathlib import Path
from statistics import median

from app.doctor.check import Finding, check, ok, warning
from app.doctor.context import Context

BUSY = 1.5
"""Processes a core that run or want to: with more, each of them waits for the others."""

LOOKS = 9
PAUSE = 0.03
"""Seconds between two looks: a process that runs for a moment is not taken for a load."""

_RUNNING = re.compile(r"^procs_running (\d+)$", re.MULTILINE)


@check(
    "host.load",
    "the machine has time for its processes",
    symptom="Everything is slow, and the doctor does not get to look at some things.",
    why="On a machine with more to compute than it has cores, heartbeats, answers and timeouts are"
    " late, and what is late looks like a fault of PostgreSQL, Redis or an upstream service.",
    remedy="ps -eo pid,user,pcpu,etime,args --sort=-pcpu | head",
)
async def load(context: Context) -> Finding:
    """Count the processes that run or want to, now and in the last minute."""
    del context
    counts = []
    for _ in range(LOOKS):
        counts.append(_running())
        await asyncio.sleep(PAUSE)
    return judge_load(median(counts), os.getloadavg()[0], os.cpu_count() or 1)


def judge_load(now: float, minute: float, cores: int) -> Finding:
    """Say whether so many processes are too many for so many cores."""
    where = f"{cores} core{'s' if cores > 1 else ''}"
    most = max(now, minute)
    if most <= BUSY * cores:
        return ok(f"{most:.1f} processes want to run on {where}")
    return warning(
        f"this machine is overloaded: {most:.0f} processes want to run on {where}",
        required=f"{BUSY:g} a core at most",
        found=f"{now:.0f} now, {minute:.1f} in the last minute",
    )


def _running() -> float:
    """Return how many run or want to, without this process (proc(5), /proc/stat)."""
    stat = Path("/proc/stat")
    found = _RUNNING.search(stat.read_text(encoding="utf-8")) if stat.is_file() else None
    return max(0.0, float(found[1]) - 1) if found else 0.0
