"""Guesses what somebody meant by a name that is not known."""

import difflib
from collections.abc import Iterable

MOST_CHARS = 80
"""Characters of a name that are compared."""


def did_you_mean(given: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return ``; did you mean NAME?`` with the known name that is nearest, or nothing.

    Upper and lower case count as the same.

    Args:
        given: the name that is not known.
        known: the names that are.
        cutoff: how alike the names have to be, from 0 to 1.
    """
    by_lower_case = {name.lower(): name for name in known}
    given = given[:MOST_CHARS].lower()
    near = difflib.get_close_matches(given, by_lower_case, n=1, cutoff=cutoff)
    return f"; did you mean {by_lower_case[near[0]]}?" if near else ""
