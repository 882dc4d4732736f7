"""Reads, tests and writes the addresses of PostgreSQL and Redis."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis
from dotenv import dotenv_values
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.core.process.redaction import hide
from app.core.redis import address as redis_url
from app.core.redis.pool import new_pool
from app.db import address
from services.process import ServiceError

VARIABLES = ("DATABASE_URL", "REDIS_URL")
_TIMEOUT_SECONDS = 3
_LOCAL = {"localhost", "127.0.0.1", "::1"}


def configured(root: Path) -> dict[str, str]:
    """Return the addresses that the environment or `.env` sets; an empty value counts as unset."""
    file = {name.upper(): value for name, value in dotenv_values(root / ".env").items()}
    both = {name: os.environ.get(name) or file.get(name) for name in VARIABLES}
    return {name: value for name, value in both.items() if value}


def services_env(root: Path) -> Path:
    """Return the file of addresses that the settings read with the lowest priority."""
    return root / ".run" / "services.env"


def read_services_env(root: Path) -> dict[str, str]:
    """Return the addresses that the last `up` wrote, or an empty mapping if there was none."""
    return {name: value for name, value in dotenv_values(services_env(root)).items() if value}


def write_services_env(root: Path, urls: Mapping[str, str]) -> None:
    """Write the addresses to the file that the settings read. Only this user can read it."""
    path = services_env(root)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(0o600)
    quoted = {name: url.replace("\\", "\\\\").replace("'", "\\'") for name, url in urls.items()}
    lines = "".join(f"{name}='{url}'\n" for name, url in quoted.items())
    draft.write_text(f"# written by `make hybrid-up`, removed by `make hybrid-down`\n{lines}")
    draft.replace(path)


@dataclass(frozen=True, slots=True)
class Place:
    """The parts of an address.

    Attributes:
        hosts: the hosts of the server. Several hosts are replicas of each other, and an empty tuple
            means a local socket.
        port: the port of the first host.
        user: the user, or None if the address contains none.
        password: the password, or None if the address contains none.
        name: the name of the database.
    """

    hosts: tuple[str, ...]
    port: int
    user: str | None
    password: str | None
    name: str

    @property
    def local(self) -> bool:
        """Whether this is the loopback address, where `up` can start a server."""
        return len(self.hosts) == 1 and self.hosts[0] in _LOCAL

    def __str__(self) -> str:
        """Return host and port, without the password, for messages."""
        hosts = ",".join(f"[{host}]" if ":" in host else host for host in self.hosts)
        return f"{hosts or '[local]'}:{self.port}"


def place(url: str) -> Place:
    """Parse an address of PostgreSQL or Redis.

    Raises:
        ValueError: the address is invalid. The message quotes no part of it.
    """
    if is_redis(url):
        parsed = redis_url.parse(url)
        # only the sentinels know the host of their service
        servers = parsed.hosts if parsed.service is None else ()
        names = tuple(host for host, _ in servers)
        port = servers[0][1] if servers else redis_url.PORT
        return Place(names, port, parsed.username, parsed.password, str(parsed.database))
    given = address.parse(url)
    # an address without a host means a local socket, unless PGHOST names a host
    host = given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST", "")
    hosts = tuple(name for name in host.split(",") if name)
    first = given.get("port", "").split(",")[0] or os.environ.get("PGPORT", "") or "5432"
    return Place(
        hosts, int(first), given.get("user"), given.get("password"), given.get("dbname", "")
    )


def is_redis(url: str) -> bool:
    """Return whether an address is one of Redis. Otherwise, it is one of PostgreSQL."""
    return url.startswith(("redis", "unix:"))


def where(url: str) -> str:
    """Format an address for messages, as host and port without the password."""
    return str(redis_url.parse(url) if is_redis(url) else place(url))


def check(variable: str, url: str) -> None:
    """Validate an address.

    Raises:
        ServiceError: the address is invalid. The message does not quote it, because it may contain
            a password.
    """
    try:
        place(url)
    except ValueError as error:
        raise ServiceError(f"{variable} cannot be used; allowed: {error}") from error


def connection_error(url: str) -> str | None:
    """Connect to a server. Return None if it answers, or else the error without secrets."""
    found = _redis_error(url) if is_redis(url) else _postgres_error(url)
    return None if found is None else hide(found)


def _postgres_error(url: str) -> str | None:
    try:
        parameters: dict[str, Any] = address.parameters(url, session="kidney-genetics services")
        parameters["connect_timeout"] = _TIMEOUT_SECONDS
        with psycopg.connect(**parameters) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[0]
    except ValueError:
        return "it is not an address that PostgreSQL's clients understand"
    return None


def _redis_error(url: str) -> str | None:
    try:
        asyncio.run(_ping(url))
    except (redis.RedisError, OSError) as error:
        return str(error) or type(error).__name__
    except ValueError:
        return "it is not an address that Redis's clients understand"
    return None


async def _ping(url: str) -> None:
    pool = new_pool(
        url,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    client = Redis.from_pool(pool)
    try:
        await client.ping()
    finally:
        await client.aclose()
