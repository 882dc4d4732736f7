"""What `REDIS_URL` says, read in this one place.

One server: ``redis://user:password@host:6379/0``, ``rediss://…`` with TLS, ``unix:///path``.
Several under Sentinel, which names the one that may be written to::

    redis+sentinel://user:password@host1:26379,host2:26379/service/0?sentinel_password=…

``rediss+sentinel://`` is the same with TLS, to the sentinels too. A password may be
percent-encoded, and must be where it has one of ``/ ? #``.

redis-py would read some addresses differently from what they say, and arq others
(``redis/asyncio/connection.py``, ``parse_url``; ``arq/connections.py``, ``from_dsn``): a database
that is no number is database 0 to the one, what follows a ``#`` is nothing to both, and any
parameter is handed on as a text, so that ``decode_responses=False`` means yes. These are refused.
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
_HIGHEST_PORT = 65_535

FORM = (
    "redis://host:6379/0, rediss://…, unix://… or"
    " redis+sentinel://host1:26379,host2:26379/service/0"
)


def _yes_or_no(text: str) -> bool:
    found = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return found[text.lower()]


def _requirement(text: str) -> str:
    return {each: each for each in ("none", "optional", "required")}[text]


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
"""The parameters that name a file."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is, and how one gets in.

    Attributes:
        hosts: of the server, or of the sentinels, with their ports; none of a socket.
        database: its number.
        tls: whether the connection is encrypted.
        path: of a Unix socket.
        service: what the sentinels call the servers that they watch.
        username: of the server, decoded.
        password: of the server, decoded.
        sentinel_login: the sentinels' own ``username`` and ``password``.
        options: more arguments of redis-py's connection, ``ssl_ca_certs`` for example.
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
        """What it is logged in with, as redis-py calls it."""
        both = {"username": self.username, "password": self.password}
        return {name: value for name, value in both.items() if value}

    def __str__(self) -> str:
        """Return where it is, without its credentials."""
        if self.path is not None:
            return self.path
        hosts = ",".join(f"{host}:{port}" for host, port in self.hosts)
        return hosts if self.service is None else f"{self.service} of {hosts}"


def parse(url: str) -> RedisAddress:
    """Read an address.

    Raises:
        ValueError: it is not of the form that is described above, or others would read it
            differently. The reason shows nothing of the address but the names of parameters.
    """
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in _SCHEMES:
        raise ValueError(FORM)
    _refuse_stray_signs(rest)
    before, _, query = rest.partition("?")
    authority, _, path = before.partition("/")
    login, _, at = authority.rpartition("@")
    user, _, password = login.partition(":")
    with_sentinels = scheme.endswith(_SENTINEL)
    tls = scheme.startswith("rediss")
    given, sentinel_login = _parameters(query, tls=tls, with_sentinels=with_sentinels)
    if (user or password) and given.keys() & _LOGIN.keys():
        raise ValueError("a user and a password before the @ or in the query, and not in both")
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
    """Return where a URL points, without its credentials."""
    return str(parse(url))


def _refuse_stray_signs(rest: str) -> None:
    if re.search(r"\s", rest):
        raise ValueError("an address without blanks: %20 for one in a password")
    if "#" in rest:
        raise ValueError("%23 for a # in a password: what follows a bare # would be left out")
    if re.search(r"[/?].*@", rest):
        raise ValueError(
            "%2F for a /, %3F for a ? and %40 for an @ in a password, and no bare @ after the host"
        )


def _hosts(text: str, *, with_sentinels: bool) -> tuple[tuple[str, int], ...]:
    parts = text.split(",")
    if len(parts) > 1 and not with_sentinels:
        raise ValueError("one host; several are those of sentinels: redis+sentinel://")
    return tuple(_host(each, with_sentinels=with_sentinels) for each in parts)


def _host(text: str, *, with_sentinels: bool) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    port = int(found["port"] or (SENTINEL_PORT if with_sentinels else PORT)) if found else 0
    if found is None or not 0 < port <= _HIGHEST_PORT:
        raise ValueError(f"{FORM}; a port is a number from 1 to {_HIGHEST_PORT:,}")
    host = unquote(found["host"].strip("[]"))
    if not host and with_sentinels:
        raise ValueError(FORM)
    return host or "localhost", port


def _database(path: str, parameter: int | None) -> int:
    if path and not (path.isascii() and path.isdecimal()):
        raise ValueError("the number of a database after the last /, 0 for example")
    if path and parameter is not None and int(path) != parameter:
        raise ValueError("one database, and not another one in db=")
    number = int(path) if path else parameter or 0
    if number < 0:
        raise ValueError("the number of a database, 0 for example")
    return number


def _parameters(
    query: str, *, tls: bool, with_sentinels: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the arguments of the server's connection, and the sentinels' login."""
    allowed = {
        name: read for name, read in _PARAMETERS.items() if tls or not name.startswith("ssl_")
    }
    given: dict[str, Any] = {}
    login: dict[str, str] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ValueError("parameters as name=value, with & between them") from None
    for name, value in pairs:
        own = name.removeprefix("sentinel_")
        if with_sentinels and name != own and own in _LOGIN:
            login[own] = value
        elif name not in allowed or name in given:
            raise ValueError(_why_not(name, given, allowed))
        else:
            try:
                given[name] = allowed[name](value)
            except (KeyError, ValueError):
                raise ValueError(f"{name} with another value: {_kind(name)}") from None
    return given, login


def _why_not(name: str, given: Mapping[str, Any], allowed: Mapping[str, Any]) -> str:
    shown = name if _NAME.fullmatch(name) else "a parameter that is not shown"
    if name in given:
        return f"{name} once"
    if name == "decode_responses":
        return f"no {name}: arq reads bytes, and redis-py takes any value of it for yes"
    if name in _TLS:
        return f"rediss:// with {name}, which is for TLS"
    return f"no {shown}; the parameters there are: {', '.join(sorted(allowed))}"


def _kind(name: str) -> str:
    kinds: dict[Any, str] = {
        _yes_or_no: "true or false",
        _requirement: "none, optional or required",
        int: "a whole number",
        float: "a number",
    }
    return kinds.get(_PARAMETERS[name], "a text")
