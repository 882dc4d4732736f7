"""Takes secrets out of text before a person, a log or a table gets to see it."""

import html
import json
import logging
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

HIDDEN = "***"

SHORTEST_SECRET = 4
"""Characters; replacing anything shorter would tear ordinary words apart."""

_LONG = 8
"""Characters; a shorter secret may be a part of an ordinary word, and is hidden as a whole word."""

_NO_SECRETS = frozenset({"true", "false", "none", "null", HIDDEN})

_MARK = r"""["']?\s*[=:]\s*"""
_VALUE = r"""("[^"]*"|'[^']*'|[^\s"'&,;<>}\])]+)"""

_NAMED = re.compile(
    # api_key=…  "api-key":"…"  X-Api-Key: …  NCBI_API_KEY='…'  password=…  email=…
    rf"((?:api[_-]?key|access[_-]?key|token|secret|passw(?:or)?d|pwd|e?mail){_MARK}){_VALUE}",
    re.IGNORECASE,
)
_IN_QUERY = re.compile(
    r"([?&](?:key|sig|signature|auth|code|session)=)([^\s\"'&<>]+)", re.IGNORECASE
)
_HEADER = re.compile(
    # Authorization: Token …   ('cookie', 'a=…; b=…')   {"set-cookie": "…"}
    r"""((?:\b|(?<=_))(?:(?:proxy-)?authorization|(?:set-)?cookie)["']?\s*[=:,]\s*)"""
    r"""(b?"[^"]*"|b?'[^']*'|[^"'\r\n]+)""",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{4,}", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(
    # a slash in it is wrong, and happens; a message may say postgresql://user:password@host
    r"""(\w://[^\s:/@"']*):(?!password@)[^\s"'<>]+@""",
    re.IGNORECASE,
)
_LOGIN_IN_URL = re.compile(r"\b(https?|socks\w*)://[^\s/@?#]+@", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![\w.+/%-])[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")

_learned: set[str] = set()


def learn(secrets: Iterable[str]) -> None:
    """Have these values hidden by everything in this process that hides secrets."""
    _learned.update(secrets)


def hide(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace by ``***`` the secrets that were learned, and those given, however they stand.

    Each character may be written as itself, percent-encoded, or escaped as JSON, Python and HTML
    do. A secret of less than eight characters is hidden where it is a word of its own.
    """
    pattern = _pattern_of(frozenset(_learned.union(secrets)))
    return text if pattern is None else pattern.sub(HIDDEN, text)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace by ``***`` what must not be read.

    Beside the secrets of :func:`hide`, these are recognized by their form: values named as an API
    key, token, secret, password or e-mail (in a query, a header, JSON, or an assignment; NCBI's
    429 names the caller's key or address as ``"api-key"``), the headers for authorization and
    cookies, bearer and basic credentials, passwords in addresses, whatever stands before the ``@``
    of a web address or proxy, and e-mail addresses.

    Args:
        text: anything.
        secrets: values to hide wherever and however they stand.
    """
    text = hide(text, secrets)
    text = hide_in_addresses(text)
    text = _HEADER.sub(_hide_value, text)
    text = _NAMED.sub(_hide_value, text)
    text = _IN_QUERY.sub(_hide_value, text)
    text = _CREDENTIALS.sub(rf"\1 {HIDDEN}", text)
    return _ADDRESS.sub(HIDDEN, text)


def hide_in_addresses(text: str, instead: str = f":{HIDDEN}") -> str:
    """Replace the password of each address, and all that logs in to a web address.

    Args:
        text: anything.
        instead: what stands in the place of a password and the colon before it.
    """
    text = _LOGIN_IN_URL.sub(rf"\1://{HIDDEN}@", text)
    return _PASSWORD_IN_URL.sub(rf"\1{instead}@", text)


def _hide_value(match: re.Match[str]) -> str:
    name, value = match.groups()
    mark = value[-1] if value[-1] in "\"'" else ""
    return f"{name}{mark}{HIDDEN}{mark}"


@lru_cache(maxsize=16)
def _pattern_of(secrets: frozenset[str]) -> re.Pattern[str] | None:
    # the longest first, as a shorter one may be a part of it
    parts = [
        _spellings(each)
        for each in sorted(secrets, key=len, reverse=True)
        if len(each) >= SHORTEST_SECRET and each.lower() not in _NO_SECRETS
    ]
    # a host is shown in small letters, and a piece of a password may be taken for one
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _spellings(secret: str) -> str:
    """Return the regular expression of a secret in all the ways to write it."""
    pattern = "".join(map(_spelt, secret))
    if len(secret) >= _LONG:
        return pattern
    before = r"(?<![^\W_])" if secret[0].isalnum() else ""
    after = r"(?![^\W_])" if secret[-1].isalnum() else ""
    return f"{before}{pattern}{after}"


@lru_cache(maxsize=1024)
def _spelt(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    encoded = quote(character, safe="", errors="replace")
    if encoded == character:
        # one that an address need not encode
        encoded = f"%{ord(character):02X}"
    ways = {
        re.escape(character),
        encoded,
        *(
            re.escape(way)
            for way in (
                json.dumps(character)[1:-1],
                f"\\{character}",
                character.encode("ascii", "backslashreplace").decode(),
                *_undecoded(character),
                html.escape(character),
            )
        ),
    }
    if character == " ":
        ways.add(r"\+")
    if not character.isascii():
        # what stands there for a character that cannot be shown
        ways.add("[?\ufffd]{1,4}")
    return f"(?:{'|'.join(sorted(ways, key=len, reverse=True))})"


def _undecoded(character: str) -> tuple[str, ...]:
    """Return how a character looks that came from the environment where the locale is ASCII."""
    try:
        undecoded = character.encode().decode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return ()
    return undecoded, undecoded.encode("ascii", "backslashreplace").decode()


class RedactingFilter(logging.Filter):
    """Redacts the message of a record, for a library's own logger (httpx writes whole URLs)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, redacted."""
        record.msg, record.args = redact(record.getMessage()), None
        return True
