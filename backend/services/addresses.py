"""The two services' addresses: what is configured, what answers there, what we leave behind."""

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
    """What the environment or `.env` sets of our variables; an empty value is none."""
    file = {name.upper(): value for name, value in dotenv_values(root / ".env").items()}
    both = {name: os.environ.get(name) or file.get(name) for name in VARIABLES}
    return {name: value for name, value in both.items() if value}


def services_env(root: Path) -> Path:
    """The file that the settings read with the lowest priority."""
    return root / ".run" / "services.env"


def read_services_env(root: Path) -> dict[str, str]:
    """The addresses that an earlier `up` left; none when there was none."""
    return {name: value for name, value in dotenv_values(services_env(root)).items() if value}


def write_services_env(root: Path, urls: Mapping[str, str]) -> None:
    """Leave the addresses where the settings find them, readable by nobody else."""
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
    """What an address says.

    Attributes:
        hosts: of the server; several are copies of each other, and none is a local socket.
        port: of the first.
        user: None when the address names none.
        password: the same.
        name: of the database.
    """

    hosts: tuple[str, ...]
    port: int
    user: str | None
    password: str | None
    name: str

    @property
    def local(self) -> bool:
        """Whether it is this machine's loopback, where a server of ours could serve it."""
        return len(self.hosts) == 1 and self.hosts[0] in _LOCAL

    def __str__(self) -> str:
        """Host and port, for people: no password in it."""
        hosts = ",".join(f"[{host}]" if ":" in host else host for host in self.hosts)
        return f"{hosts or '[local]'}:{self.port}"


def place(url: str) -> Place:
    """Take an address apart.

    Raises:
        ValueError: it cannot be; what it says repeats nothing of it.
    """
    if is_redis(url):
        said = redis_url.parse(url)
        # who stands behind sentinels is theirs to say
        at = said.hosts if said.service is None else ()
        names = tuple(host for host, _ in at)
        port = at[0][1] if at else redis_url.PORT
        return Place(names, port, said.username, said.password, str(said.database))
    given = address.parse(url)
    # an address without a host is a socket, unless PGHOST says otherwise
    host = given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST", "")
    hosts = tuple(each for each in host.split(",") if each)
    first = given.get("port", "").split(",")[0] or os.environ.get("PGPORT", "") or "5432"
    return Place(
        hosts, int(first), given.get("user"), given.get("password"), given.get("dbname", "")
    )


def is_redis(url: str) -> bool:
    """Whether an address is Redis's; else it is PostgreSQL's."""
    return url.startswith(("redis", "unix:"))


def where(url: str) -> str:
    """Host and port of an address, for people: no password in it."""
    return str(redis_url.parse(url) if is_redis(url) else place(url))


def check(variable: str, url: str) -> None:
    """Make sure that an address can be taken apart.

    Raises:
        ServiceError: it cannot; the address, which may hold a password, is not repeated.
    """
    try:
        place(url)
    except ValueError as error:
        raise ServiceError(f"{variable} cannot be used; allowed: {error}") from error


def silence(url: str) -> str | None:
    """Why no server can be used at an address, without any secret; None when one answers."""
    found = _redis_silence(url) if is_redis(url) else _postgres_silence(url)
    return None if found is None else hide(found)


def _postgres_silence(url: str) -> str | None:
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


def _redis_silence(url: str) -> str | None:
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
