"""Shows text of others without letting it steer the terminal."""

import json
import unicodedata


def printable(text: str) -> str:
    r"""Spell out what a terminal would obey or hide: ``\x1b``, ``\r``, ``\u202e``, ``\udcff``.

    Names, reasons and errors come from files, upstream services and Redis. In a terminal, an escape
    sequence among them could recolour or overwrite what was written, and a mark of direction turn
    it around. Line breaks and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(
        char if _is_shown(char) else char.encode("unicode_escape").decode() for char in text
    )


def printable_json(text: str) -> str:
    """Spell out the same in JSON, which means what it meant."""
    if text.isprintable():
        return text
    return "".join(char if _is_shown(char) else json.dumps(char)[1:-1] for char in text)


def _is_shown(char: str) -> bool:
    return char.isprintable() or char in "\n\t" or unicodedata.category(char) == "Zs"
