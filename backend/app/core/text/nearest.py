"""Suggests the known name that is most similar to an unknown one."""

import difflib
from collections.abc import Iterable

MAX_COMPARED_CHARS = 80
"""Characters of the unknown name that are compared."""


def did_you_mean(given: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return ``; did you mean NAME?`` with the most similar known name, or an empty string.

    The case is ignored.

    Args:
        given: the unknown name.
        known: the known names.
        cutoff: the minimum similarity, from 0 to 1.
    """
    by_lower_case = {name.lower(): name for name in known}
    given = given[:MAX_COMPARED_CHARS].lower()
    near = difflib.get_close_matches(given, by_lower_case, n=1, cutoff=cutoff)
    return f"; did you mean {by_lower_case[near[0]]}?" if near else ""
