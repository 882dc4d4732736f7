"""Makes the names that somebody may have meant who typed one that no gene has."""

import string
from collections.abc import Iterator

_CHARACTERS = f"{string.ascii_uppercase}{string.digits}-"
"""That symbols consist of (HGNC's guidelines)."""

_SHORTEST = 3
"""Characters of a name that is suggested because the text begins with it."""

_LONGEST = 20
"""Characters of a text that may contain one wrong character. No symbol is longer."""


def near_names(typed: str) -> list[str]:
    """Return what a text is if a character is wrong, missing, added, or swapped with the next one.

    Beginnings of the text are among them: in `PKD1-201` the gene is `PKD1`.

    Args:
        typed: in any case. The names are in upper case.
    """
    typed = typed.upper()
    names = {typed[:end] for end in range(_SHORTEST, min(len(typed), _LONGEST + 1))}
    if len(typed) <= _LONGEST:
        names.update(_one_character_off(typed))
    return sorted(names - {typed})


def _one_character_off(typed: str) -> Iterator[str]:
    for at in range(len(typed) + 1):
        before, rest = typed[:at], typed[at:]
        yield before + rest[1:]
        yield before + rest[1:2] + rest[:1] + rest[2:]
        for character in _CHARACTERS:
            yield before + character + rest
            yield before + character + rest[1:]
