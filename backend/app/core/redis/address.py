"""Parses `REDIS_URL`. No other module of the project does.

The address of one server is ``redis://user:password@host:6379/0``, ``rediss://…`` (with TLS) or
``unix:///path``. The address of several servers under Sentinel, which finds the primary, is::

    redis+sentinel://user:password@host1:26379,host2:26379/service/0?sentinel_password=…

``rediss+sentinel://`` is the same with TLS, also for the sentinels. A password may be
percent-encoded, and must be if it contains ``/``, ``?`` or ``#``.

The parsers of redis-py (``redis/asyncio/connection.py``, ``parse_url``) and arq
(``arq/connections.py``, ``from_dsn``) misread some addresses without an error. One interprets a
database that is not a number as database 0; both ignore everything after a ``#``; and they pass
parameters on as text, so that ``decode_responses=False`` counts as true. This module refuses such
addresses.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

PORT, SENTINEL_PORT = 6379, 26379
_SENTINEL = "+sentinel"
_SCHEMES = frozenset({"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel"})
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.%]+\]|[^:\[\]]*)(:(?P<port>[0-9]{1,5}))?")
_NAME = re.compile(r"[a-z_]{1,40}")
_MAX_PORT = 65_535

FORM = (
    "redis://host:6379/0, rediss://…, unix://… or"
    " redis+sentinel://host1:26379,host2:26379/service/0"
)


def _yes_or_no(text: str) -> bool:
    found = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return found[text.lower()]


def _requirement(text: str) -> str:
    return {word: word for word in ("none", "optional", "required")}[text]


_LOGIN: Mapping[str, Callable[[str], Any]] = {"username": str, "password": str}
_TLS: Mapping[str, Callable[[str], Any]] = {
    "ssl_ca_certs": str,
    "ssl_ca_data": str,
    "ssl_certfile": str,
    "ssl_keyfile": str,
    "ssl_ciphers": str,
    "ssl_cert_reqs": _requirement,
    "ssl_check_hostname": _yes_or_no,
}
_CONNECTION: Mapping[str, Callable[[str], Any]] = {
    "client_name": str,
    "health_check_interval": int,
    "socket_connect_timeout": float,
    "socket_keepalive": _yes_or_no,
    "socket_timeout": float,
}
_PARAMETERS: Mapping[str, Callable[[str], Any]] = {"db": int, **_LOGIN, **_TLS, **_CONNECTION}

FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""Parameters whose value is the path of a file."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """The address of a Redis, with its credentials.

    Attributes:
        hosts: host and port of the server, or of each sentinel; empty for a Unix socket.
        database: the number of the database.
        tls: whether the connection is encrypted.
        path: the path of the Unix socket.
        service: the sentinels' name of the servers that they monitor.
        username: the user of the server, decoded.
        password: the password of the server, decoded.
        sentinel_login: ``username`` and ``password`` for the sentinels.
        options: further arguments for redis-py's connection, such as ``ssl_ca_certs``.
    """

    hosts: tuple[tuple[str, int], ...] = ()
    database: int = 0
    tls: bool = False
    path: str | None = None
    service: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_login: dict[str, str] = field(default_factory=dict, repr=False)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def login(self) -> dict[str, str]:
        """``username`` and ``password``, without those that are not set."""
        login = {"username": self.username, "password": self.password}
        return {name: value for name, value in login.items() if value}

    def __str__(self) -> str:
        """Return the address without its credentials."""
        if self.path is not None:
            return self.path
        hosts = ",".join(f"{host}:{port}" for host, port in self.hosts)
        return hosts if self.service is None else f"{self.service} of {hosts}"


def parse(url: str) -> RedisAddress:
    """Parse an address.

    Raises:
        ValueError: the address is invalid, or arq or redis-py would misread it. The message states
            what is allowed. It quotes nothing of the address except names of parameters.
    """
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in _SCHEMES:
        raise ValueError(FORM)
    _refuse_unencoded(rest)
    before, _, query = rest.partition("?")
    authority, _, path = before.partition("/")
    login, _, at = authority.rpartition("@")
    user, _, password = login.partition(":")
    with_sentinels = scheme.endswith(_SENTINEL)
    tls = scheme.startswith("rediss")
    given, sentinel_login = _parameters(query, tls=tls, with_sentinels=with_sentinels)
    if (user or password) and given.keys() & _LOGIN.keys():
        raise ValueError(
            "the user and the password either before the @ or in the query, not in both"
        )
    username = unquote(user) or given.pop("username", None)
    secret = unquote(password) or given.pop("password", None)
    socket = service = None
    number = path
    if scheme == "unix":
        if at or not path:
            raise ValueError("unix:///path/of/the/socket?db=0: the path begins with a /")
        socket, number = "/" + unquote(path), ""
    elif with_sentinels:
        name, _, number = path.partition("/")
        service = unquote(name)
        if not service:
            raise ValueError(FORM)
    return RedisAddress(
        hosts=() if socket else _hosts(at, with_sentinels=with_sentinels),
        database=_database(number, given.pop("db", None)),
        tls=tls,
        path=socket,
        service=service,
        username=username,
        password=secret,
        sentinel_login=sentinel_login,
        options=given,
    )


def address(url: str) -> str:
    """Return the address that a URL names, without its credentials."""
    return str(parse(url))


def _refuse_unencoded(rest: str) -> None:
    if re.search(r"\s", rest):
        raise ValueError("an address without spaces; in a password, a space is written %20")
    if "#" in rest:
        raise ValueError("an address without #; in a password, a # is written %23")
    if re.search(r"[/?].*@", rest):
        raise ValueError(
            "an address without @ after the host; in a password, a / is written %2F, a ? %3F and"
            " an @ %40"
        )


def _hosts(text: str, *, with_sentinels: bool) -> tuple[tuple[str, int], ...]:
    parts = text.split(",")
    if len(parts) > 1 and not with_sentinels:
        raise ValueError("one host; only redis+sentinel:// accepts several")
    return tuple(_host(part, with_sentinels=with_sentinels) for part in parts)


def _host(text: str, *, with_sentinels: bool) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    port = int(found["port"] or (SENTINEL_PORT if with_sentinels else PORT)) if found else 0
    if found is None or not 0 < port <= _MAX_PORT:
        raise ValueError(f"{FORM}; a port is a number from 1 to {_MAX_PORT:,}")
    host = unquote(found["host"].strip("[]"))
    if not host and with_sentinels:
        raise ValueError(FORM)
    return host or "localhost", port


def _database(path: str, parameter: int | None) -> int:
    if path and not (path.isascii() and path.isdecimal()):
        raise ValueError("the number of a database after the last /, 0 for example")
    if path and parameter is not None and int(path) != parameter:
        raise ValueError("the same database after the last / and in db=")
    number = int(path) if path else parameter or 0
    if number < 0:
        raise ValueError("the number of a database, 0 for example")
    return number


def _parameters(
    query: str, *, tls: bool, with_sentinels: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the arguments of the connection to the server, and the login for the sentinels."""
    allowed = {
        name: read for name, read in _PARAMETERS.items() if tls or not name.startswith("ssl_")
    }
    given: dict[str, Any] = {}
    login: dict[str, str] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ValueError("parameters of the form name=value, separated by &") from None
    for name, value in pairs:
        own = name.removeprefix("sentinel_")
        if with_sentinels and name != own and own in _LOGIN:
            login[own] = value
        elif name not in allowed or name in given:
            raise ValueError(_refusal(name, given, allowed))
        else:
            try:
                given[name] = allowed[name](value)
            except (KeyError, ValueError):
                raise ValueError(f"{_kind(name)} as the value of {name}") from None
    return given, login


def _refusal(name: str, given: Mapping[str, Any], allowed: Mapping[str, Any]) -> str:
    shown = (
        name if _NAME.fullmatch(name) else "an unknown parameter (not shown, it may be a secret)"
    )
    if name in given:
        return f"{name} only once"
    if name == "decode_responses":
        return f"no {name}: arq needs bytes, and redis-py interprets any value of it as true"
    if name in _TLS:
        return f"{name} only with rediss://, because it is for TLS"
    return f"not {shown}, but only the parameters {', '.join(sorted(allowed))}"


def _kind(name: str) -> str:
    """Describe the values that a parameter accepts."""
    kinds: dict[Any, str] = {
        _yes_or_no: "true or false",
        _requirement: "none, optional or required",
        int: "a whole number",
        float: "a number",
    }
    return kinds.get(_PARAMETERS[name], "a text")
