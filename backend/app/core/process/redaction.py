"""Removes secrets from text before it is displayed, logged or stored."""

import html
import json
import logging
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

HIDDEN = "***"

MIN_SECRET_CHARS = 4
"""Characters. Replacing shorter secrets would make ordinary words unreadable."""

_MIN_CHARS_IN_WORDS = 8
"""Characters. A shorter secret may be part of an ordinary word, so only whole words are replaced.
"""

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
    # passwords with an unencoded slash occur; postgresql://user:password@host stays as an example
    r"""(\w://[^\s:/@"']*):(?!password@)[^\s"'<>]+@""",
    re.IGNORECASE,
)
_LOGIN_IN_URL = re.compile(r"\b(https?|socks\w*)://[^\s/@?#]+@", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![\w.+/%-])[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")

_learned: set[str] = set()


def learn(secrets: Iterable[str]) -> None:
    """Add secrets to those that :func:`hide` and :func:`redact` replace in this process."""
    _learned.update(secrets)


def hide(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace known secrets by ``***``: the learned ones and the given ones.

    Every character is recognized literally, percent-encoded, and escaped for JSON, Python or HTML.
    A secret of less than eight characters is replaced only as a whole word.

    Args:
        text: any text.
        secrets: further secrets.
    """
    pattern = _pattern_of(frozenset(_learned.union(secrets)))
    return text if pattern is None else pattern.sub(HIDDEN, text)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace known secrets, and everything that looks like a secret, by ``***``.

    In addition to the secrets of :func:`hide`, these are recognized by their form:

    - values with the name of an API key, token, secret, password or e-mail, in a query, a header,
      JSON or an assignment (some services quote the caller's key as ``"api-key"``)
    - headers for authorization and cookies, and bearer and basic credentials
    - passwords in addresses, and everything before the ``@`` of a web address or proxy
    - e-mail addresses

    Args:
        text: any text.
        secrets: further secrets.
    """
    text = hide(text, secrets)
    text = hide_in_addresses(text)
    text = _HEADER.sub(_hide_value, text)
    text = _NAMED.sub(_hide_value, text)
    text = _IN_QUERY.sub(_hide_value, text)
    text = _CREDENTIALS.sub(rf"\1 {HIDDEN}", text)
    return _ADDRESS.sub(HIDDEN, text)


def hide_in_addresses(text: str, instead: str = f":{HIDDEN}") -> str:
    """Replace the password in each address, and the whole login in each web address.

    Args:
        text: any text.
        instead: the replacement of a password and the colon before it.
    """
    # passwords first: an @ in a password would look like the end of a login
    text = _PASSWORD_IN_URL.sub(rf"\1{instead}@", text)
    return _LOGIN_IN_URL.sub(rf"\1://{HIDDEN}@", text)


def _hide_value(match: re.Match[str]) -> str:
    name, value = match.groups()
    mark = value[-1] if value[-1] in "\"'" else ""
    return f"{name}{mark}{HIDDEN}{mark}"


@lru_cache(maxsize=16)
def _pattern_of(secrets: frozenset[str]) -> re.Pattern[str] | None:
    # the longest first, because it may contain a shorter secret
    parts = [
        _spellings(secret)
        for secret in sorted(secrets, key=len, reverse=True)
        if len(secret) >= MIN_SECRET_CHARS and secret.lower() not in _NO_SECRETS
    ]
    # case-insensitive: a library may interpret part of a password as a host, in lower case
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _spellings(secret: str) -> str:
    """Return a regular expression that matches all spellings of a secret."""
    pattern = "".join(map(_spellings_of_character, secret))
    if len(secret) >= _MIN_CHARS_IN_WORDS:
        return pattern
    before = r"(?<![^\W_])" if secret[0].isalnum() else ""
    after = r"(?![^\W_])" if secret[-1].isalnum() else ""
    return f"{before}{pattern}{after}"


@lru_cache(maxsize=1024)
def _spellings_of_character(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    encoded = quote(character, safe="", errors="replace")
    if encoded == character:
        # addresses may also encode characters that need no encoding
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
        # replacements of a character that the output's encoding lacks
        ways.add("[?\ufffd]{1,4}")
    return f"(?:{'|'.join(sorted(ways, key=len, reverse=True))})"


def _undecoded(character: str) -> tuple[str, ...]:
    """Return the forms of a character from an environment variable in an ASCII locale."""
    try:
        undecoded = character.encode().decode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return ()
    return undecoded, undecoded.encode("ascii", "backslashreplace").decode()


class RedactingFilter(logging.Filter):
    """Redacts log records of libraries. For example, httpx logs whole URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record; never drop it."""
        record.msg, record.args = redact(record.getMessage()), None
        return True
