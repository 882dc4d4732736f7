import resource

from app.doctor.check import Finding, check, failed, ok
from app.doctor.context import Context

LEAST = 1_024
"""Open files: Linux' default. A process of ours has some 30 connections, and the files it reads."""

ENOUGH = 4_096
"""As in the systemd units."""


@check(
    "host.open-files",
    "a process may open enough files",
    symptom="The log says `Too many open files`.",
    why="A connection is a file: without one to spare, a worker loses PostgreSQL in mid-run.",
    remedy="ulimit -n 4096",
)
async def open_files(context: Context) -> Finding:
    """Look at this shell's limit; a service has that of its unit."""
    del context
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= LEAST:
        return ok(f"{'any number of' if soft < 0 else soft} open files")
    enough = hard == resource.RLIM_INFINITY or hard >= LEAST
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    return failed(
        f"only {soft} open files",
        required=f"{LEAST}",
        found=f"{soft} in this shell",
        remedy=f"ulimit -n {most}" if enough else f"sudo prlimit --pid $$ --nofile={ENOUGH}",
    )
