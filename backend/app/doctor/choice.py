"""Which checks somebody asks for."""

import difflib
from collections.abc import Collection, Iterable, Mapping

from app.core.checks import Status
from app.core.errors import WrongUse
from app.doctor.registry import CHECKS
from app.doctor.run import Result

MOST_CHARS = 80
"""Characters of a wrong name that are said again."""


def chosen_of(names: Iterable[str]) -> set[str]:
    """Return the ids of the checks with these ids or of these groups; all, if there is no name.

    Args:
        names: each may have several names, separated by commas.

    Raises:
        WrongUse: a name is neither an id nor a group.
    """
    known = _known()
    asked = [part for each in names for part in each.split(",") if part]
    if not asked:
        return set().union(*known.values())
    found: set[str] = set()
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name[:MOST_CHARS], known, n=3)
            raise WrongUse(
                f"there is no check {name[:MOST_CHARS]!r}"
                + (f", did you mean {near[0]}?" if near else ""),
                allowed=", ".join(near) or "an id or a group of `just doctor --list`",
                remedy="just doctor --list",
            )
        found |= known[name]
    return found


def shown_of(results: Iterable[Result], chosen: Collection[str]) -> list[Result]:
    """Return the results of the chosen checks, and the problems of those that they need."""
    return [
        each
        for each in results
        if each.check.id in chosen or each.is_problem or each.status is Status.not_looked_at
    ]


def _known() -> Mapping[str, set[str]]:
    known = {each.id: {each.id} for each in CHECKS}
    for each in CHECKS:
        known.setdefault(each.group, set()).add(each.id)
    return known
