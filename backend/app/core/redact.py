"""Takes secrets out of text before a person, a log or a table gets to see it."""

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "***"

_SHORTEST_SECRET = 4
"""Characters; replacing anything shorter would tear ordinary words apart."""

_NAMED = re.compile(
    # api_key=…  "api-key":"…"  X-Api-Key: …  NCBI_API_KEY='…'  password=…  email=…
    r"""((?:api[_-]?key|access[_-]?key|token|secret|passw(?:or)?d|pwd|e?mail)["']?\s*[=:]\s*)"""
    r"""("[^"]*"|'[^']*'|[^\s"'&,;<>}\])]+)""",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{4,}", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"(\w://[^\s:/@]*:)[^\s/]+@")
_ADDRESS = re.compile(r"(?<![\w.+/%-])[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace by ``***`` what must not be read.

    Recognized by their form are values named as an API key, token, secret, password or e-mail (in
    a query, a header, JSON, or an assignment; NCBI's 429 names the caller's key or address as
    ``"api-key"``), bearer and basic credentials, passwords in addresses, and e-mail addresses.

    Args:
        text: anything.
        secrets: values to hide wherever and however they stand; their URL-quoted forms as well.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            for form in {secret, quote(secret, safe=""), quote_plus(secret)}:
                text = text.replace(form, HIDDEN)
    text = _PASSWORD_IN_URL.sub(rf"\1{HIDDEN}@", text)
    text = _NAMED.sub(_hide_value, text)
    text = _AUTHORIZATION.sub(rf"\1 {HIDDEN}", text)
    return _ADDRESS.sub(HIDDEN, text)


def _hide_value(match: re.Match[str]) -> str:
    name, value = match.groups()
    mark = value[0] if value[0] in "\"'" else ""
    return f"{name}{mark}{HIDDEN}{mark}"


class RedactingFilter(logging.Filter):
    """Redacts the message of a record, for a library's own logger (httpx writes whole URLs)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, redacted."""
        record.msg, record.args = redact(record.getMessage()), None
        return True
