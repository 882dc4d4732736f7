import logging
import os
import sys
import threading
import time
from typing import NoReturn

import click

from app.core.checks import Status
from app.core.text.printable import printable
from app.doctor import report
from app.doctor.choice import chosen_of, shown_of
from app.doctor.context import TIME_LIMIT, Context
from app.doctor.libraries import load_libraries
from app.doctor.registry import CHECKS
from app.doctor.run import with_needs
from app.doctor.treat import treat


@click.command()
@click.argument("ids", nargs=-1)
@click.option("-q", "--quiet", is_flag=True, help="Show problems only.")
@click.option(
    "--only", multiple=True, metavar="ID...", help="Run only these checks, or groups of checks."
)
@click.option("--list", "as_list", is_flag=True, help="List the checks without running them.")
@click.option(
    "--strict", is_flag=True, help="Also fail for warnings, and for checks that could not run."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")
@click.option(
    "--limit",
    type=click.FloatRange(1, 600),
    default=TIME_LIMIT,
    show_default=True,
    metavar="SECONDS",
    help="Time limit for all checks; each may take 3/4 of it. It is extended on a busy machine.",
)
@click.option("--offline", is_flag=True, help="Send no requests to the sources.")
@click.option(
    "--fix", is_flag=True, help="Repair problems that can be repaired safely and locally."
)
def doctor(
    *,
    ids: tuple[str, ...],
    quiet: bool,
    only: tuple[str, ...],
    as_list: bool,
    strict: bool,
    as_json: bool,
    limit: float,
    offline: bool,
    fix: bool,
) -> None:
    """Check this installation, and report each problem, why it matters, and how to repair it.

    The exit status is 1 if a check failed, and 2 for wrong arguments.
    """
    # warnings of libraries are not logged, because the results report them
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
    chosen = chosen_of((*only, *ids))
    checks = with_needs(CHECKS, chosen)
    if as_list:
        shown = [check for check in checks if check.id in chosen]
        click.echo(report.list_as_json(shown) if as_json else report.to_list(shown))
        return

    repairs: list[str] = []

    def say(line: str) -> None:
        repairs.append(line)
        if not as_json:
            click.echo(printable(line))

    slowness = load_libraries(checks)
    started = time.monotonic()
    context = Context(offline=offline, limit=limit * slowness)
    results = treat(checks, context, say if fix else None)
    results = shown_of(results, chosen)
    bad = {Status.failed}
    if strict:
        bad |= {Status.warning, Status.not_looked_at}
    passed = not any(result.status in bad for result in results)
    seconds = time.monotonic() - started
    if as_json:
        click.echo(report.to_json(results, passed=passed, seconds=seconds, done=repairs))
    else:
        style = report.style_for(
            terminal=sys.stdout.isatty(),
            unicode=(sys.stdout.encoding or "").lower().startswith("utf"),
            colour=not os.environ.get("NO_COLOR"),
        )
        text = report.to_text(results, style, seconds=seconds, quiet=quiet)
        if text:
            click.echo(text, color=True)
    _end(0 if passed else 1)


def _end(status: int) -> NoReturn:
    """Exit without waiting for threads, which may be resolving a host name or hold a lock."""
    if threading.active_count() > 1:
        sys.stdout.flush()
        os._exit(status)
    sys.exit(status)
