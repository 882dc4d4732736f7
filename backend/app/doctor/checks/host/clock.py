import asyncio
import ctypes
import os
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.doctor.check import Finding, check, failed, ok, warning
from app.doctor.checks.commands import psql
from app.doctor.checks.postgres import row
from app.doctor.context import Context

_UNSYNCHRONISED = 5
"""What `adjtimex` returns when nothing keeps the clock right (`TIME_ERROR`, adjtimex(2))."""

_TIMEX = 256
"""Bytes, more than `struct timex` has anywhere."""


@check(
    "host.clock",
    "something keeps the clock right",
    symptom="Times in logs are off by seconds or minutes.",
    why="Waits, ages and the order of logs from several hosts go by the clock. A virtual machine"
    " may take its time from its host, which cannot be seen from inside: then this is no problem.",
    remedy="sudo timedatectl set-ntp true",
)
async def synchronised(context: Context) -> Finding:
    """Ask systemd, and where there is none, the kernel."""
    told = await _timedatectl(context)
    if told is None:
        told = _kernel()
    if told is None:
        return ok("nobody here can tell whether the clock is kept right")
    if told:
        return ok("the clock is synchronised")
    sudo = "" if os.geteuid() == 0 else "sudo "
    return warning(
        "nothing is known to keep the clock right",
        required="a clock synchronised by NTP",
        found="one that is not",
        remedy=f"{sudo}timedatectl set-ntp true",
    )


async def _timedatectl(context: Context) -> bool | None:
    try:
        process = await asyncio.create_subprocess_exec(
            *("timedatectl", "show", "--property", "NTPSynchronized", "--value"),
            env=dict(context.environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    said, _ = await process.communicate()
    return {b"yes": True, b"no": False}.get(said.strip()) if process.returncode == 0 else None


def _kernel() -> bool | None:
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    # zeroed, it is a question and changes nothing
    state = -1 if adjtimex is None else adjtimex(ctypes.create_string_buffer(_TIMEX))
    return None if state < 0 else state != _UNSYNCHRONISED


@check(
    "host.time-zone",
    "the time zone is one",
    symptom="Times are shown hours off, though TZ is set.",
    why="With a name that it does not know, the C library takes UTC and says nothing: every time"
    " that is shown is off by hours.",
    remedy="unset TZ",
)
async def time_zone(context: Context) -> Finding:
    """Look at ``TZ``."""
    name = context.environ.get("TZ", "").removeprefix(":")
    if "/" in name:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return failed(
                f"TZ={name} is no time zone",
                required="a name of the time zone database, or no TZ",
                found=name,
            )
    return ok(f"times are shown in {_zone(context) or 'local time'}")


@check(
    "host.zones-agree",
    "PostgreSQL shows times as this host does",
    symptom="psql shows a moment hours apart from what the logs say.",
    needs=("database.reachable", "host.time-zone"),
    why="Times are stored without doubt, but psql and the logs would show the same moment hours"
    " apart.",
)
async def zones_agree(context: Context) -> Finding:
    """Compare the offsets from UTC that hold now."""
    found = await row(
        context,
        "SELECT extract(timezone FROM now())::int AS seconds,"
        " current_setting('TimeZone') AS zone, current_database() AS name",
    )
    ours = datetime.now().astimezone().utcoffset() or timedelta()
    if ours.total_seconds() == found.seconds:
        return ok(f"PostgreSQL shows times in {found.zone}, as this host does")
    zone = _zone(context) or "UTC"
    return warning(
        f"PostgreSQL shows times in {found.zone}, this host in {zone}",
        required=f"{zone} in both",
        found=found.zone,
        remedy=psql(context, f"ALTER DATABASE \"{found.name}\" SET timezone TO '{zone}'"),
    )


def _zone(context: Context) -> str:
    name = context.environ.get("TZ", "").removeprefix(":")
    if name:
        return name
    link = Path("/etc/localtime")
    return str(link.readlink()).rpartition("zoneinfo/")[2] if link.is_symlink() else ""
