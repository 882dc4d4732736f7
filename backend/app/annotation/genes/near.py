"""Generates similar names for a name that no gene has."""

import string
from collections.abc import Iterator

_CHARACTERS = f"{string.ascii_uppercase}{string.digits}-"
"""The characters of symbols (HGNC's guidelines)."""

_MIN_BEGINNING = 3
"""Minimum length of a suggested name that the text begins with."""

_MAX_MISTYPED = 20
"""Maximum length of a text that is corrected. No symbol is longer."""


def near_names(typed: str) -> list[str]:
    """Return the names that a text may be a misspelling of.

    One character may be wrong, missing, extra, or swapped with the next one. Prefixes of the text
    are included: the gene of `PKD1-201` is `PKD1`.

    Args:
        typed: the text, in any case. The returned names are in upper case.
    """
    typed = typed.upper()
    names = {typed[:end] for end in range(_MIN_BEGINNING, min(len(typed), _MAX_MISTYPED + 1))}
    if len(typed) <= _MAX_MISTYPED:
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
