"""Finds the configured secrets in the environment, ``.env``, and the file of the local servers.

The values are read without the model of the settings. So the secrets are known even if the settings
are invalid and an error message might quote them, and importing this module is cheap.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from typing import Any
from urllib.parse import unquote, unquote_plus

from dotenv import dotenv_values

from app.core.process.redaction import MIN_SECRET_CHARS

# dotenv logs unreadable lines without the name of the file; the settings refuse such a file
logging.getLogger("dotenv.main").setLevel(logging.ERROR)

_SECRET_NAME = re.compile(
    r"\w*(TOKEN|API_KEY|PASSWORD|SECRET)|PGPASSWORD|REDISCLI_AUTH", re.IGNORECASE
)
"""Variables whose whole value is secret: settings of this project, and variables of libpq,
redis-cli and Compose. Every secret setting has such a name or is an address."""

_ADDRESS = re.compile(r".*_URL|(HTTPS?|ALL)_PROXY|OTEL_\w+_ENDPOINT")
"""Variables of which only a part is secret."""

_CAPABILITY = re.compile(r"NOTIFY_\w+_URLS|PING_URL", re.IGNORECASE)
"""Variables with addresses that are secrets themselves, because knowing one suffices to use it."""

_HEADERS = re.compile(r"OTEL_\w+_HEADERS")
"""Variables with headers, ``name=value,name=value``. The values are secret."""

_WEB = re.compile(r"(https?|socks\w*)$", re.IGNORECASE)
_IN_QUERY = re.compile(r"[?&](?:\w*passw(?:or)?d|\w*token|\w*key)=([^&#\s]+)", re.IGNORECASE)
_IN_WORDS = re.compile(r"(?:^|\s)\w*password\s*=\s*(?:'((?:\\.|[^'\\])*)'|(\S+))", re.IGNORECASE)
_HOST_AND_QUERY = re.compile(r"[\w.:,\[\]-]+(?:/[\w.-]*)?\?[\w.-]+=")
"""The rest of an address after the credentials, with a query that may contain an ``@``."""

_MIN_RANDOM_CHARS = 8
"""Characters. A shorter part of an address does not count as a secret by itself."""

_WORD = re.compile(r"[a-z._-]+")
_DELIMITERS = re.compile(r"[/?#@:&=,;%\[\]\s]+")


def configured_secrets(environ: Mapping[str, str], *env_files: str) -> frozenset[str]:
    """Return the secrets in the environment and in files.

    Args:
        environ: the environment.
        env_files: the content of each file from which settings are read.
    """
    found = [*environ.items()]
    for text in env_files:
        for interpolate in (True, False):
            values = dotenv_values(stream=StringIO(text), interpolate=interpolate)
            found += [(name, value) for name, value in values.items() if value]
    return frozenset(
        secret
        for name, value in found
        for secret in of_variable(name, value)
        if len(secret) >= MIN_SECRET_CHARS
    )


def secrets_of(settings: Iterable[tuple[str, Any]]) -> frozenset[str]:
    """Return the secrets in the values of settings, whatever their origin.

    Args:
        settings: the names and values, as iterating over the model of the settings yields them.
    """
    found = {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        for name, value in settings
        if value is not None
    }
    return frozenset(
        secret
        for name, value in found.items()
        for secret in of_variable(name, value)
        if len(secret) >= MIN_SECRET_CHARS
    )


def of_variable(name: str, value: str) -> set[str]:
    """Return the secrets in the value of one variable."""
    name = name.upper()
    if _CAPABILITY.fullmatch(name):
        return {secret for address in value.split() for secret in _of_capability(address)}
    if _ADDRESS.fullmatch(name):
        return set(_of_address(value))
    if _HEADERS.fullmatch(name):
        return set(_of_headers(value))
    if _SECRET_NAME.fullmatch(name):
        # a message may quote a single line of a value, or one of several secrets
        return {value, *value.splitlines(), *(value.split() if name.endswith("_SECRET") else ())}
    return set()


def _of_capability(address: str) -> Iterator[str]:
    """Yield the part of an address after the host, and its random components.

    A component without digits and capitals is a word, such as ``notifications``. Hiding it would
    make other lines unreadable. If the scheme is not a web scheme, the host may be a secret too, as
    in ``tgram://token/chat``.
    """
    scheme, mark, rest = address.partition("://")
    web = mark and _WEB.match(scheme.rpartition("+")[2])
    beyond = rest.partition("/")[2] if web else rest or address
    yield from _of_address(address)
    if not mark:
        yield address
    for part in (beyond, *_DELIMITERS.split(beyond)):
        if len(part) >= _MIN_RANDOM_CHARS and not _WORD.fullmatch(part):
            yield from (part, unquote(part))


def _of_address(address: str) -> Iterator[str]:
    """Yield the passwords in an address, as written and decoded.

    If a password contains a delimiter of addresses, its end is ambiguous, so every part that may
    belong to it counts as secret. A password that is also the name of the user or of the database
    (``postgres:postgres@``) does not count: hiding it would make every line unreadable.
    """
    scheme, mark, rest = address.partition("://")
    rest = rest if mark else address
    secrets = _IN_QUERY.findall(rest) + ["".join(match) for match in _IN_WORDS.findall(address)]
    known: set[str] = set()
    for login in _logins(rest):
        user, colon, password = login.partition(":")
        if colon:
            secrets.append(password)
            known.add(user)
        if (_WEB.match(scheme) and not password) or (scheme.startswith("redis") and not colon):
            # a token, or a password without a colon before it
            secrets.append(user)
        beyond = rest[len(login) + 1 :]
        # what follows another @ may belong to the password, unless that @ is in the query
        if "@" not in beyond or _HOST_AND_QUERY.match(beyond):
            known.update(_DELIMITERS.split(beyond.partition("?")[0]))
    for secret in secrets:
        forms = {secret, unquote(secret), unquote_plus(secret)}
        for form in forms | {piece for whole in forms for piece in _DELIMITERS.split(whole)}:
            if form not in known:
                yield form


def _of_headers(headers: str) -> Iterator[str]:
    """Yield the values as written and decoded, also without a scheme such as ``Bearer``."""
    for header in headers.split(","):
        value = header.partition("=")[2].strip() or header.strip()
        for form in {value, unquote(value)} - {""}:
            yield form
            yield form.rpartition(" ")[2]


def _logins(rest: str) -> Iterator[str]:
    """Yield what may be the credentials in the text after ``://``."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    for part in {authority, rest}:
        login, mark, _ = part.rpartition("@")
        if mark:
            yield login
