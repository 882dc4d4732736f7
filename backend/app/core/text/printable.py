"""Escapes control characters in text from outside, so that it cannot control the terminal."""

import json
import unicodedata


def printable(text: str) -> str:
    r"""Escape characters that control a terminal or are invisible, such as ``\x1b`` and ``\u202e``.

    Names, reasons and errors may come from files, upstream services and Redis. An escape sequence
    in them could overwrite other output, and a direction mark could reverse it. Line breaks and
    tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(
        char if _is_shown(char) else char.encode("unicode_escape").decode() for char in text
    )


def printable_json(text: str) -> str:
    """Escape the same characters in JSON, without changing its meaning."""
    if text.isprintable():
        return text
    return "".join(char if _is_shown(char) else json.dumps(char)[1:-1] for char in text)


def in_one_line(text: str) -> str:
    """Return text on one line, with spaces in place of control and invisible characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _is_shown(char: str) -> bool:
    return char.isprintable() or char in "\n\t" or unicodedata.category(char) == "Zs"
