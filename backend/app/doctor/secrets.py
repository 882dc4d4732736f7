"""Keeps secrets out of what the checks say."""

import re
from collections.abc import Iterable, Iterator
from io import StringIO
from urllib.parse import unquote, urlsplit

from dotenv.parser import parse_stream
from pydantic import SecretStr

from app.core.config import Settings
from app.core.redact import HIDDEN
from app.doctor.context import Context

SECRET_NAMES = frozenset(
    name.upper()
    for name, field in Settings.model_fields.items()
    if "SecretStr" in str(field.annotation)
)
"""The settings whose values are not shown."""

_ADDRESSES = frozenset(
    name.upper() for name in Settings.model_fields if name.upper().endswith("_URL")
)
"""Those in which only a password is secret: a mirror may ask for one, too."""

_SHORTEST = 4
_PASSWORD_IN_URL = re.compile(r"(\w://[^\s:/@]*):[^\s/]+@")


def known_secrets(context: Context) -> frozenset[str]:
    """Return the secret values that the settings, the environment and ``.env`` hold.

    They are read one by one, as the settings as a whole may be unusable.
    """
    found: set[str] = set()
    for name, value in _held(context):
        found |= _passwords(value) if name in _ADDRESSES else {value}
    return frozenset(each for each in found if len(each) >= _SHORTEST)


def _held(context: Context) -> Iterator[tuple[str, str]]:
    for name, value in context.environ.items():
        if name.upper() in SECRET_NAMES | _ADDRESSES:
            yield name.upper(), value
    for binding in parse_stream(StringIO(context.env_text or "")):
        if binding.key and binding.value and binding.key.upper() in SECRET_NAMES | _ADDRESSES:
            yield binding.key.upper(), binding.value
    if context.refusal is None:
        for name in SECRET_NAMES | _ADDRESSES:
            value = getattr(context.settings, name.lower())
            if value is not None:
                yield name, value.get_secret_value() if isinstance(value, SecretStr) else value


def _passwords(address: str) -> set[str]:
    """Return the passwords of an address, as they stand there and as they are meant.

    One that is also the user or the database (``postgres:postgres@``) would take these out of
    every line, and is known to whoever reads them.
    """
    try:
        url = urlsplit(address)
        held = [url.password] if url.password else []
        known = {url.username, url.hostname, url.path.strip("/")}
    except ValueError:
        # a bracket that nobody closes, for example
        held, known = re.findall(r":([^:@/\s]+)@", address), set()
    # in the query: sentinel_password, and libpq's and redis-py's own password
    held += re.findall(r"[?&]\w*password=([^&]+)", address)
    return {form for each in held if each not in known for form in (each, unquote(each))}


def hide(text: str, secrets: Iterable[str]) -> str:
    """Replace secrets by ``***``, and write an address as ``user@host``.

    Unlike :func:`app.core.redact.redact` it leaves alone what only looks like a secret: a check
    says ``kidney@db.example.org`` on purpose, and its commands name variables like tokens.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    return _PASSWORD_IN_URL.sub(r"\1@", text)


def where(address: str) -> str:
    """Write a server's address as ``user@host:port/name``, without its password and options."""
    try:
        url = urlsplit(address)
        port = f":{url.port}" if url.port else ""
    except ValueError:
        return "an address that cannot be read"
    user = f"{url.username}@" if url.username else ""
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname or ""
    return f"{user}{host}{port}{url.path}"
