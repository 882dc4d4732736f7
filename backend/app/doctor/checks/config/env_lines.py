"""How systemd and Compose read a line of an environment file; python-dotenv is the third.

Each returns the name and the value, or None for the value when it is not certain: it depends on
other variables, or on the version.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from dotenv.parser import Binding, parse_stream

_SPACE = " \t"
_QUOTED = re.compile(r"""[ \t]*(?:'([^']*)'|"((?:\\.|[^"\\])*)")""", re.DOTALL)
_IN_DOUBLE_QUOTES = re.compile(r"""\\(["\\`$\n])""")

Reading = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Statement:
    """A name and its value as they are written.

    Attributes:
        line: where it begins, from 1.
        name: what is set.
        text: all of it, with the quotes and whatever follows on the line.
    """

    line: int
    name: str
    text: str


def statements(text: str) -> Iterator[Statement]:
    """Return what an environment file sets, in its order."""
    for each in parse_stream(StringIO(text)):
        if each.key is not None and each.value is not None and not each.error:
            yield Statement(_line(each), each.key, each.original.string.strip("\r\n"))


def unreadable(text: str) -> list[int]:
    """Return the lines that python-dotenv makes nothing of."""
    return [_line(each) for each in parse_stream(StringIO(text)) if each.error]


def _line(binding: Binding) -> int:
    """Return where a binding begins; its own number is that of the empty lines before it."""
    written = binding.original.string
    empty = written[: len(written) - len(written.lstrip())]
    return binding.original.line + empty.count("\n")


def systemd_reads(line: str) -> Reading:
    """Read a line as ``EnvironmentFile=`` does (systemd, ``src/basic/env-file.c``).

    ``export`` is part of the name, ``#`` begins no comment after a value, ``$`` means nothing, and
    a backslash escapes what follows unless it stands in single quotes.
    """
    name, _, rest = line.partition("=")
    value = ""
    # after a closing quote it goes on as if nothing had been read yet
    while quoted := _QUOTED.match(rest):
        single, double = quoted.groups()
        value += single if double is None else _IN_DOUBLE_QUOTES.sub(_unescaped, double)
        rest = rest[quoted.end() :]
    bare = rest.strip(_SPACE + "\r\n")
    return name.strip(), value + re.sub(r"\\(.|\n)?", lambda m: (m[1] or "").strip("\n"), bare)


def _unescaped(match: re.Match[str]) -> str:
    return match[1].replace("\n", "")


def compose_reads(line: str) -> Reading:
    """Read a line as Compose reads ``.env`` (compose-go, ``dotenv/parser.go``).

    ``$`` begins a variable unless it stands in single quotes. A bare ``#`` begins a comment
    wherever it stands in older versions, and after a space in newer ones. What a backslash in
    double quotes means depends on what follows it.
    """
    name, _, rest = line.strip().partition("=")
    name = name.removeprefix("export").strip()
    rest = rest.strip()
    quote = rest[:1]
    if quote in {"'", '"'}:
        end = rest.find(quote, 1)
        value = rest[1:end]
        meaning = "\\$" if quote == '"' else ""
        uncertain = end < 0 or value.endswith("\\") or any(sign in value for sign in meaning)
    else:
        value = rest.split(" #")[0].rstrip()
        uncertain = "$" in value or "#" in value
    return name, None if uncertain else value
