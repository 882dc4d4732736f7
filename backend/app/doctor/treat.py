"""Does what is safe about the problems, then looks again."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from app.core.process.redaction import redact
from app.doctor.check import Check
from app.doctor.context import WHOLE, Context
from app.doctor.deadline import examine_in_time, run_to_end
from app.doctor.run import Result, in_words
from app.doctor.secrets import hide, known_secrets

Say = Callable[[str], None]

PATIENCE = 60
"""Seconds that one fix may take; a migration is the longest."""


def treat(
    checks: Sequence[Check], context: Context, say: Say | None, *, whole: float = WHOLE
) -> list[Result]:
    """Run the checks, and when told to, mend what they find and run them again.

    What was mended may let a check run that had been skipped, and that has a fix of its own: it
    goes on until nothing new can be tried.

    Args:
        checks: with everything that they need among them.
        context: what they look at; it is closed afterwards.
        say: is told each thing that was done; None mends nothing.
        whole: seconds that all checks may take.

    Returns:
        The state after it all.
    """
    results = examine_in_time(checks, context, whole)
    tried: set[str] = set()
    while say is not None:
        untried = [each for each in results if each.check.id not in tried]
        now = run_to_end(mend(untried, context.fresh(), say))
        if not now:
            break
        tried |= now
        results = examine_in_time(checks, context.fresh(), whole)
    return results


async def mend(results: Iterable[Result], context: Context, say: Say) -> set[str]:
    """Do what is safe about the problems that were found.

    Args:
        results: of :func:`examine`.
        context: a fresh one; it is closed afterwards.
        say: is told each thing that was done, or could not be.

    Returns:
        The ids of the checks whose fix was tried.
    """
    tried = set()
    for each in results:
        if not each.is_problem or each.check.fix is None:
            continue
        tried.add(each.check.id)
        try:
            async with asyncio.timeout(PATIENCE):
                done = await each.check.fix(context)
        except Exception as error:  # noqa: BLE001 - the other fixes are still to be tried
            secrets = known_secrets(context)
            say(f"could not mend {each.check.id}: {redact(in_words(error), secrets)}")
        else:
            if done is not None:
                say(f"mended {each.check.id}: {hide(done, known_secrets(context))}")
    await context.close()
    return tried
