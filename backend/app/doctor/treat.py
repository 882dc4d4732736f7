"""Repairs the problems for which there is a safe fix, then runs the checks again."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from app.core.checks import Check
from app.core.process.redaction import redact
from app.doctor.context import Context
from app.doctor.deadline import examine_in_time, run_in_thread
from app.doctor.run import Result, name_and_text
from app.doctor.secrets import hide, known_secrets

Say = Callable[[str], None]

FIX_TIMEOUT = 60
"""Seconds that one repair may take. The slowest one is a migration."""


def treat(checks: Sequence[Check], context: Context, say: Say | None) -> list[Result]:
    """Run the checks and, if requested, repair the problems and run the checks again.

    After a repair, a check that was skipped may run and find a problem with its own fix. So this
    repeats until no untried fix is left.

    Args:
        checks: the checks, including all checks that they need.
        context: the context of the checks, which this function closes.
        say: called with a line for each repair. None means that nothing is repaired.

    Returns:
        The results of the last run.
    """
    results = examine_in_time(checks, context)
    tried: set[str] = set()
    while say is not None:
        untried = [
            result for result in results if result.check.id not in tried and _can_fix(result)
        ]
        if not untried:
            break
        run_in_thread(fix(untried, context.fresh(), say), FIX_TIMEOUT * (len(untried) + 1))
        tried |= {result.check.id for result in untried}
        results = examine_in_time(checks, context.fresh())
    return results


def _can_fix(result: Result) -> bool:
    return result.is_problem and result.check.fix is not None


async def fix(results: Iterable[Result], context: Context, say: Say) -> None:
    """Repair the problems in the results.

    Args:
        results: the results of :func:`examine`.
        context: a fresh context, which this function closes.
        say: called with a line for each repair, whether it succeeded or failed.
    """
    for result in results:
        if result.check.fix is None:
            continue
        try:
            async with asyncio.timeout(FIX_TIMEOUT):
                done = await result.check.fix(context)
        except Exception as error:  # noqa: BLE001 - it is reported, and the other repairs are tried
            text = redact(name_and_text(error), known_secrets(context))
            say(f"could not repair {result.check.id}: {text}")
        else:
            if done is not None:
                say(f"repaired {result.check.id}: {hide(done, known_secrets(context))}")
    await context.close()
