"""What `REDIS_URL` says.

One server: ``redis://user:password@host:6379/0``, ``rediss://…`` with TLS, ``unix:///path``.
Several under Sentinel, which names the one that may be written to::

    redis+sentinel://user:password@host1:26379,host2:26379/service/0?sentinel_password=…

``rediss+sentinel://`` is the same with TLS, to the sentinels too. A password may be
percent-encoded. Other parameters of the query are redis-py's, ``ssl_ca_certs`` for example.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

SENTINEL_PORT = 26379
_PLAIN = frozenset({"redis", "rediss", "unix"})
_SENTINEL = frozenset({"redis+sentinel", "rediss+sentinel"})
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.%]+\]|[^:\[\]]+)(:(?P<port>[0-9]{1,5}))?")
_SEVERAL = re.compile(
    r"(?P<login>[^/]*@)?(?P<hosts>[^/@?#]+)/(?P<service>[^/?#]+)(/(?P<db>[0-9]+))?"
    r"(\?(?P<query>[^#]*))?"
)

FORM = (
    "redis://host:6379/0, rediss://…, unix://… or"
    " redis+sentinel://host1:26379,host2:26379/service/0"
)


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Who knows where Redis is.

    Attributes:
        hosts: of the sentinels, with their ports.
        service: what they call the servers that they watch.
        url: of the server that they name, with nothing in the place of its address.
        login: the sentinels' own ``username`` and ``password``.
    """

    hosts: tuple[tuple[str, int], ...]
    service: str
    url: str
    login: dict[str, str]


def sentinels(url: str) -> Sentinels | None:
    """Return what a URL says about sentinels; None when it is one server's.

    Raises:
        ValueError: it is not of the form that is described above.
    """
    scheme, _, rest = url.partition("://")
    if scheme in _PLAIN:
        return None
    # not by urlsplit, which of later Pythons refuses brackets around a part of it
    parts = _SEVERAL.fullmatch(rest)
    if scheme not in _SENTINEL or parts is None:
        raise ValueError(FORM)
    login, query = {}, []
    for name, value in parse_qsl(parts["query"] or ""):
        if name in {"sentinel_username", "sentinel_password"}:
            login[name.removeprefix("sentinel_")] = value
        else:
            query.append((name, value))
    scheme = scheme.removesuffix("+sentinel")
    options = f"?{urlencode(query)}" if query else ""
    return Sentinels(
        hosts=tuple(_host(host) for host in parts["hosts"].split(",")),
        service=unquote(parts["service"]),
        url=f"{scheme}://{parts['login'] or ''}sentinel/{parts['db'] or 0}{options}",
        login=login,
    )


def _host(text: str) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError(FORM)
    return found["host"].strip("[]"), int(found["port"] or SENTINEL_PORT)


def address(url: str) -> str:
    """Return where a URL points, without its credentials."""
    if (known := sentinels(url)) is not None:
        return f"{known.service} of " + ",".join(f"{host}:{port}" for host, port in known.hosts)
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
