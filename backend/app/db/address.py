"""Parses `DATABASE_URL`, which may be any address that psql accepts. libpq does the parsing.

::

    postgresql://user:password@host:5432/name
    postgresql://user@host1,host2:5433/name?target_session_attrs=read-write
    postgresql:///name?host=/run/postgresql&options=-csearch_path%3Dkg
    host=/run/postgresql dbname=name user=kidney

For the parts that an address omits, libpq's defaults apply: the variables ``PGHOST``,
``PGPASSWORD``, ``PGOPTIONS`` and so on, the password file and the service file.
"""

import re
from collections.abc import Mapping
from typing import Any

_ONE_HOST = "postgresql://user:password@host:5432/name"
FORM = (
    f"{_ONE_HOST}, or any other address that psql accepts: several hosts, a Unix socket"
    " (postgresql:///name?host=/run/postgresql), `host=... dbname=...`"
)

_URL = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*)://(?P<rest>.*)", re.DOTALL)
_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_PORT = re.compile(r"[0-9]{1,5}")
_MAX_PORT = 65_535
_NUMBERS = (
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
)
_SESSIONS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")

DEFAULTS: Mapping[str, str] = {
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
}
"""Defaults of a connection, unless the address or the environment sets them. With these values, a
connection to a server that has stopped answering fails after about 11 seconds."""


def parse(dsn: str) -> dict[str, str]:
    """Parse an address into its parameters, under libpq's names.

    Raises:
        ValueError: the address is invalid. The message states what is allowed. It quotes no part of
            the address, because any part might belong to the password.
    """
    url = _URL.fullmatch(dsn)
    if url is None:
        if "=" not in dsn:
            raise ValueError(FORM)
        given = _by_libpq(dsn)
    else:
        # SQLAlchemy's guides use the scheme postgresql+psycopg
        if url["scheme"] not in _SCHEMES:
            raise ValueError(FORM)
        # libpq rejects spaces since PostgreSQL 17; earlier versions accepted them
        given = _by_libpq(f"postgresql://{url['rest'].replace(' ', '%20')}")
        _refuse_unquoted(url["rest"], given)
    _check(given)
    return given


def _libpq() -> Any:
    # imported late, because the doctor reads the settings too and reports a missing psycopg
    from psycopg.pq import Conninfo  # noqa: PLC0415

    return Conninfo


def _by_libpq(dsn: str) -> dict[str, str]:
    from psycopg import Error  # noqa: PLC0415

    try:
        options = _libpq().parse(dsn.encode())
    except (Error, UnicodeEncodeError) as error:
        # libpq quotes the part that it could not parse. That may contain the password, which may
        # itself contain quotation marks.
        why = re.sub(r'\s*".*"', "", str(error).strip(), flags=re.DOTALL).rstrip(": ")
        raise ValueError(f"{_ONE_HOST}; PostgreSQL's client says: {why}") from None
    return {o.keyword.decode(): o.val.decode() for o in options if o.val is not None}


def _refuse_unquoted(rest: str, given: Mapping[str, str]) -> None:
    """Refuse a password with an unescaped ``@`` or ``/``: libpq would read its end as the host."""
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    if "@" in given.get("host", "") or ("@" not in authority and "@" in rest.partition("?")[0]):
        raise ValueError(
            f"{_ONE_HOST}; in the user and the password write %40 for @, %2F for /, %3A for : and"
            " %25 for %"
        )


def _check(given: Mapping[str, str]) -> None:
    ports = given.get("port", "").split(",")
    hosts = (given.get("hostaddr") or given.get("host") or "").split(",")
    if any(p and (not _PORT.fullmatch(p) or not 0 < int(p) <= _MAX_PORT) for p in ports):
        raise ValueError(f"{_ONE_HOST}; a port is a number from 1 to {_MAX_PORT}")
    if len(ports) not in {1, len(hosts)}:
        raise ValueError(f"{_ONE_HOST}; give one port for all hosts, or one port for each host")
    for name in _NUMBERS:
        if name in given and not re.fullmatch(r"-?[0-9]{1,9}", given[name].strip()):
            raise ValueError(f"{_ONE_HOST}; {name} is a whole number")
    if given.get("target_session_attrs", "any") not in _SESSIONS:
        raise ValueError(f"{_ONE_HOST}; target_session_attrs is one of {', '.join(_SESSIONS)}")


def parameters(dsn: str, *, session: str) -> dict[str, str]:
    """Return the parameters of a connection: those in the address, and :data:`DEFAULTS`.

    If the address names several hosts, the connection uses one that accepts writes. The address
    cannot override the name of the session and its encoding.

    Args:
        dsn: the address.
        session: the ``application_name``. Recovery finds a dead worker's sessions by it.

    Raises:
        ValueError: see :func:`parse`.
    """
    given = parse(dsn)
    # includes PGCONNECT_TIMEOUT, PGTARGETSESSIONATTRS and the file of PGSERVICE
    from_environment = {
        o.keyword.decode() for o in _libpq().get_defaults() if o.val and o.val != o.compiled
    }
    defaults = dict(DEFAULTS)
    if "," in given.get("host", given.get("hostaddr", "")):
        defaults["target_session_attrs"] = "read-write"
    ours = {name: value for name, value in defaults.items() if name not in from_environment}
    return ours | given | {"application_name": session, "client_encoding": "utf8"}


def count_hosts(dsn: str) -> int:
    """Return how many servers an address names. Connecting may have to wait for each of them."""
    given = parse(dsn)
    return (given.get("host") or given.get("hostaddr") or "").count(",") + 1


def where(dsn: str) -> str:
    """Format an address for messages, without secrets: ``host:5432/name as user``."""
    given = parse(dsn)
    known = {o.keyword.decode(): o.val.decode() for o in _libpq().get_defaults() if o.val} | given
    if "service" in given:
        return f"service {given['service']}"
    hosts = (known.get("host") or known.get("hostaddr") or "[local]").split(",")
    ports = known.get("port", "5432").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    servers = ",".join(
        f"{f'[{host}]' if ':' in host else host or '[local]'}:{port or 5432}"
        for host, port in zip(hosts, ports, strict=True)
    )
    user = known.get("user", "")
    return f"{servers}/{known.get('dbname') or user}" + (f" as {user}" if user else "")


def user(dsn: str) -> str:
    """Return the role in an address, or libpq's default if the address contains none."""
    defaults = {o.keyword: o.val for o in _libpq().get_defaults() if o.val}
    return parse(dsn).get("user") or defaults.get(b"user", b"").decode()
