"""Selects checks by id or group."""

import difflib
from collections.abc import Collection, Iterable, Mapping

from app.core.checks import Status
from app.core.errors import WrongUse
from app.doctor.registry import CHECKS
from app.doctor.run import Result

MAX_SHOWN_CHARS = 80
"""Characters of a wrong name that the message quotes."""


def chosen_of(names: Iterable[str]) -> set[str]:
    """Return the ids of the checks that the names select. Without a name, that is all checks.

    Args:
        names: ids and groups. Each string may contain several, separated by commas.

    Raises:
        WrongUse: a name is neither an id nor a group.
    """
    known = _known()
    requested = [part for name in names for part in name.split(",") if part]
    if not requested:
        return set().union(*known.values())
    found: set[str] = set()
    for name in requested:
        if name not in known:
            near = difflib.get_close_matches(name[:MAX_SHOWN_CHARS], known, n=3)
            raise WrongUse(
                f"there is no check {name[:MAX_SHOWN_CHARS]!r}"
                + (f", did you mean {near[0]}?" if near else ""),
                allowed=", ".join(near) or "an id or a group of `just doctor --list`",
                remedy="just doctor --list",
            )
        found |= known[name]
    return found


def shown_of(results: Iterable[Result], chosen: Collection[str]) -> list[Result]:
    """Return the results of the chosen checks, and any problem of the checks that they need."""
    return [
        result
        for result in results
        if result.check.id in chosen or result.is_problem or result.status is Status.not_looked_at
    ]


def _known() -> Mapping[str, set[str]]:
    known = {check.id: {check.id} for check in CHECKS}
    for check in CHECKS:
        known.setdefault(check.group, set()).add(check.id)
    return known
