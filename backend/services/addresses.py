"""The two services' addresses: what is configured, what answers there, what we leave behind."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import psycopg
import redis
from dotenv import dotenv_values

from app.core import redis_url
from app.core.redact import hide
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
    lines = "".join(f"{name}='{url}'\n" for name, url in urls.items())
    draft.write_text(f"# written by `make hybrid-up`, removed by `make hybrid-down`\n{lines}")
    draft.replace(path)


def where(url: str) -> str:
    """Host and port of an address, for people: no password in it."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{port_of(parts) or '?'}"


def port_of(parts: SplitResult) -> int | None:
    """The port that an address means."""
    return parts.port or {"postgresql": 5432, "redis": 6379}.get(parts.scheme.partition("+")[0])


def check(variable: str, url: str) -> None:
    """Make sure that an address can be taken apart.

    Raises:
        ServiceError: it cannot; the address, which may hold a password, is not repeated.
    """
    try:
        if variable == "REDIS_URL":
            redis_url.parse(url)
    except ValueError as error:
        raise ServiceError(f"{variable} cannot be used; allowed: {error}") from error
    try:
        port_of(urlsplit(url))
    except ValueError as error:
        raise ServiceError(
            f"{variable} is not an address: the host is malformed, or the port is no number up to"
            " 65535"
        ) from error


def is_local(parts: SplitResult) -> bool:
    """Whether an address names this machine's loopback, where a server of ours could serve it."""
    return parts.hostname in _LOCAL


def silence(url: str) -> str | None:
    """Why no server can be used at an address, without any secret; None when one answers."""
    found = _redis_silence(url) if url.startswith(("redis", "unix")) else _postgres_silence(url)
    return None if found is None else hide(found)


def _postgres_silence(url: str) -> str | None:
    scheme, _, rest = url.partition("://")
    try:
        dsn = f"{scheme.partition('+')[0]}://{rest}"
        with psycopg.connect(dsn, connect_timeout=_TIMEOUT_SECONDS) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[0]
    except psycopg.ProgrammingError:
        return "it is not an address that PostgreSQL's clients understand"
    return None


def _redis_silence(url: str) -> str | None:
    try:
        with redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        ) as client:
            client.ping()
    except redis.RedisError as error:
        return str(error)
    except ValueError:
        return "it is not an address that Redis's clients understand"
    return None
