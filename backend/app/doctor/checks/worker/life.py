"""Whether workers live, and are those that should."""

import asyncio
import shlex
import socket
from pathlib import Path

from app.core.process import version as code
from app.core.workers.timing import DEFAULT_TIMING
from app.doctor.check import Finding, check, failed, ok, warning
from app.doctor.checks import commands, workers
from app.doctor.checks.words import some, span
from app.doctor.context import Context

LATE = 3.0
"""Seconds. A worker beats once a second, and each time asks PostgreSQL some short questions."""

SKEW = 2.0
"""Seconds between a worker's clock and PostgreSQL's that are worth a warning."""

LAGGING = 1.0
"""Seconds: a beat. What computes for long does so in a process of its own."""


@check(
    "worker.alive",
    "a worker is alive",
    symptom="Runs stay queued, and `just status` says `no worker is alive`.",
    why="Nobody executes runs: they stay queued.",
    needs=("database.migrated",),
)
async def alive(context: Context) -> Finding:
    """Look for workers that hold their lock and beat, of the kind that the settings name."""
    kind = workers.executing(context)
    found = await workers.alive(context, kind)
    if found:
        one = workers.name(found[0])
        return ok(one if len(found) == 1 else f"{len(found)} workers, {one} among them")
    if kind == "arq":
        return failed(
            "no worker is alive",
            required="one that holds its lock in PostgreSQL and beats",
            found="none (USE_ARQ_WORKER is True)",
            remedy=commands.start_worker(context),
        )
    return failed(
        "no API is alive, which executes the runs itself",
        required="one that holds its lock in PostgreSQL and beats",
        found="none (USE_ARQ_WORKER is False)",
        remedy=commands.start_api(context),
    )


@check(
    "worker.mode",
    "USE_ARQ_WORKER is what really happens",
    symptom="The API executes runs beside the workers, or workers are there and get none.",
    why="An API and workers that disagree about it share no request budget when both execute runs,"
    " and bells ring where nobody listens.",
    needs=("worker.alive",),
)
async def mode(context: Context) -> Finding:
    """Compare the setting with the kinds of workers that are alive."""
    expected = workers.executing(context)
    other = {"arq": "api", "api": "arq"}[expected]
    found = await workers.alive(context, other)
    setting = f"USE_ARQ_WORKER={context.settings.use_arq_worker}"
    if not found:
        return ok(f"{setting}, and only such workers are alive")
    those = [(each.host, each.pid) for each in found]
    if other == "api":
        return warning(
            "an API executes runs itself, beside the workers",
            required=f"{setting} for the API too",
            found=some([workers.name(each) for each in found]),
            remedy=commands.restart(context, other, those),
        )
    return warning(
        "arq workers are alive, and this API does not call them",
        required="USE_ARQ_WORKER=True with arq workers",
        found=f"{setting}; {some([workers.name(each) for each in found])}",
        remedy=_set("USE_ARQ_WORKER", "True"),
    )


def _set(name: str, value: str) -> str:
    return f"sed -i '/^{name}=/d' .env && echo {name}={value} >> .env"


@check(
    "worker.heartbeat",
    "every worker's heart beats on time",
    symptom="`just status` shows a last heartbeat of many seconds ago, and runs stand still.",
    why="A worker whose event loop is held up, or which is frozen, answers nobody; after"
    f" {DEFAULT_TIMING.stale:.0f} s its runs are taken from it.",
    needs=("database.migrated",),
)
async def heartbeat(context: Context) -> Finding:
    """Look at the age of each heartbeat: it shows how long the loop has not come round."""
    found = await workers.sessions(context)
    late = sorted((each for each in found if each.age > LATE), key=lambda each: -each.age)
    if not late:
        oldest = max((each.age for each in found), default=0.0)
        return ok(f"the latest of {len(found)} was {oldest:.1f} s ago" if found else "no worker")
    frozen = late[0].age > DEFAULT_TIMING.stale
    say = failed if frozen else warning
    stopped = [each for each in late if each.host == socket.gethostname() and _stopped(each.pid)]
    if stopped:
        remedy = f"kill -CONT {' '.join(str(each.pid) for each in stopped)}"
    else:
        remedy = commands.restart(context, late[0].kind, [(each.host, each.pid) for each in late])
    return say(
        f"{workers.name(late[0])} {'is frozen' if frozen else 'is held up'}:"
        f" no heartbeat for {span(late[0].age)}",
        required=f"a heartbeat at most {LATE:.0f} s old",
        found=some([f"{workers.name(each)} {span(each.age)}" for each in late])
        + ("; the process is stopped (SIGSTOP)" if stopped else ""),
        remedy=remedy,
    )


def _stopped(pid: int) -> bool:
    """Whether a process of this machine was stopped by a signal or a debugger (proc(5), stat)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in {"T", "t"}


@check(
    "worker.loop-lag",
    "no worker's event loop is held up",
    symptom="All runs of one worker stand still now and then, for seconds.",
    why="While something holds the loop up, the worker's runs stand still, and its heartbeat grows"
    " old.",
    needs=("database.migrated",),
)
async def loop_lag(context: Context) -> Finding:
    """Look at how late each loop has been at worst, of the last minute."""
    found = sorted(await workers.sessions(context), key=lambda each: -each.lag)
    slow = [each for each in found if each.lag > LAGGING]
    if not slow:
        return ok(f"at most {found[0].lag * 1000:.0f} ms late" if found else "no worker")
    return warning(
        f"the event loop of {workers.name(slow[0])} was {span(slow[0].lag)} late",
        required=f"at most {span(LAGGING)}: a machine with time for its processes, and no"
        " computation on the loop",
        found=some([f"{workers.name(each)} {span(each.lag)}" for each in slow]),
        remedy=commands.restart(context, slow[0].kind, [(each.host, each.pid) for each in slow]),
    )


@check(
    "worker.version",
    "workers run this version",
    symptom="A worker still behaves as it did before the upgrade.",
    why="After an upgrade, a worker that was not restarted goes on with the old code.",
    needs=("database.migrated",),
)
async def version(context: Context) -> Finding:
    """Compare what the workers have registered with this checkout."""
    found = await workers.sessions(context)
    mine = await asyncio.to_thread(code.version)
    old = [each for each in found if each.version != mine]
    if not old:
        return ok(f"all of {len(found)} run {mine}" if found else "no worker")
    return warning(
        f"{len(old)} of {len(found)} workers run another version than this checkout",
        required=mine,
        found=some([f"{workers.name(each)} {each.version}" for each in old]),
        remedy=commands.restart(context, old[0].kind, [(each.host, each.pid) for each in old]),
    )


@check(
    "worker.clock",
    "the workers' clocks are right",
    symptom="Logs of a worker on another host show times that cannot be.",
    why="Runs go by PostgreSQL's clock, whatever a worker's says; but logs of several hosts cannot"
    " be compared, and files are taken for older or newer than they are.",
    needs=("database.migrated",),
)
async def clock(context: Context) -> Finding:
    """Compare what each worker told with its last heartbeat with PostgreSQL's clock."""
    found = [each for each in await workers.sessions(context) if each.ahead is not None]
    wrong = sorted((each for each in found if abs(each.ahead) >= SKEW), key=lambda e: -abs(e.ahead))
    if not wrong:
        most = max((abs(each.ahead) for each in found), default=0.0)
        return ok(f"at most {most * 1000:.0f} ms from PostgreSQL's" if found else "no worker")
    here = socket.gethostname()
    hosts = sorted({each.host for each in wrong})
    return warning(
        f"the clock of {workers.name(wrong[0])} is {_apart(wrong[0].ahead)} PostgreSQL's",
        required=f"less than {SKEW:.0f} s between the two",
        found=some([f"{workers.name(each)} {_apart(each.ahead)}" for each in wrong])
        + "; where all differ by the same, PostgreSQL's may be the wrong one",
        remedy="\n".join(
            ("" if host == here else f"ssh {shlex.quote(host)} ") + "sudo timedatectl set-ntp true"
            for host in hosts
        ),
    )


def _apart(ahead: float) -> str:
    return f"{span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'}"


CHECKS = (alive, mode, heartbeat, loop_lag, version, clock)
