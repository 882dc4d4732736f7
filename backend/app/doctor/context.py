"""The resources that the checks share. Large libraries are imported on first use."""

import getpass
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.checks import Unavailable
from app.core.errors import WrongUse
from app.core.process.checkout import ROOT

if TYPE_CHECKING:
    from httpx import AsyncClient
    from redis.asyncio import Redis
    from sqlalchemy import TextClause
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.annotation.upstream.settings import UpstreamSettings

TIME_LIMIT = 4.0
"""Seconds that all checks together may take."""

SERVER_TIMEOUT = 2.0
"""Seconds that a server has to answer, if the limit for all checks is :data:`TIME_LIMIT`."""

POOL_SIZE = 5
"""Connections to PostgreSQL. A query that waits for a lock delays few other checks."""


class Context:
    """The installation that is examined, and the connections for examining it.

    Args:
        root: the checkout.
        offline: whether the checks must send no requests to the sources.
        environ: the environment variables. The default is those of this process.
        settings: the settings. The default is those of the environment and the checkout's ``.env``.
        units: the directory with the installed systemd units.
        limit: seconds that all checks together may take.
    """

    def __init__(
        self,
        *,
        root: Path = ROOT,
        offline: bool = False,
        environ: Mapping[str, str] | None = None,
        settings: "UpstreamSettings | None" = None,
        units: Path = Path("/etc/systemd/system"),
        limit: float = TIME_LIMIT,
    ) -> None:
        self.root = root
        self.offline = offline
        self.environ = os.environ if environ is None else environ
        self.units = units
        self.limit = limit
        self._given = settings
        self._stack = AsyncExitStack()

    @property
    def env_file(self) -> Path:
        """The path of the file with the settings."""
        return self.root / ".env"

    @cached_property
    def env_text(self) -> str | None:
        """The content of ``.env``, or None if the file is missing or unreadable."""
        try:
            return self.env_file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    @cached_property
    def _loaded(self) -> "UpstreamSettings | WrongUse":
        if self._given is not None:
            return self._given
        try:
            from app.annotation.settings import load_settings

            return load_settings(self.env_file)
        except WrongUse as error:
            return error
        except ModuleNotFoundError as error:
            return WrongUse(
                f"the settings cannot be read: {type(error).__name__}: {error}",
                allowed="the packages of the lock",
                remedy="`rm -rf .venv && make`",
            )
        except OSError as error:
            return WrongUse(
                f"{self.env_file} cannot be read: {error.strerror}",
                allowed="a file that belongs to the user of this command",
                remedy=f"`sudo chown {getpass.getuser()} .env`",
            )

    @property
    def refusal(self) -> WrongUse | None:
        """The reason why the settings are unusable, or None if they are usable."""
        return self._loaded if isinstance(self._loaded, WrongUse) else None

    @property
    def settings(self) -> "UpstreamSettings":
        """The settings. A check that uses them must list ``config.valid`` in ``needs``.

        Raises:
            Unavailable: the settings cannot be used.
        """
        if isinstance(self._loaded, WrongUse):
            raise Unavailable("the settings cannot be used") from self._loaded
        return self._loaded

    def within(self, seconds: float) -> float:
        """Scale a time limit in proportion to the limit for all checks.

        Args:
            seconds: the time limit that applies if the limit for all checks is :data:`TIME_LIMIT`.
        """
        return seconds * self.limit / TIME_LIMIT

    @property
    def answer_timeout(self) -> float:
        """The time that a server has to accept a connection or to answer, in seconds."""
        return self.within(SERVER_TIMEOUT)

    def redis(self) -> "Redis":
        """Return a client that connects on first use, and that returns bytes."""
        return self._redis

    @cached_property
    def _redis(self) -> "Redis":
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        from app.core.redis.pool import new_pool

        client = Redis.from_pool(
            new_pool(
                self.settings.redis_url.get_secret_value(),
                socket_timeout=self.answer_timeout,
                socket_connect_timeout=self.answer_timeout,
                retry=Retry(NoBackoff(), 0),
            )
        )
        self._stack.push_async_callback(client.aclose)
        return client

    def database(self) -> "AsyncEngine":
        """Return an engine that connects on first use."""
        return self._database

    @cached_property
    def _database(self) -> "AsyncEngine":
        from app.db.engine import create_engine

        engine = create_engine(
            self.settings.database_url.get_secret_value(),
            session="kidney-genetics doctor",
            pool_size=POOL_SIZE,
        )
        self._stack.push_async_callback(engine.dispose)
        return engine

    async def rows(self, statement: "TextClause", **values: Any) -> Sequence[Any]:
        """Execute a read-only statement and return its rows."""
        async with self.database().connect() as connection:
            return (await connection.execute(statement, values)).all()

    def http(self) -> "AsyncClient":
        """Return an HTTP client for the sources. A check that uses it needs ``config.network``."""
        return self._http

    @cached_property
    def _http(self) -> "AsyncClient":
        from httpx import AsyncClient, Limits

        from app.core.process.network import outbound_transport

        client = AsyncClient(
            timeout=self.answer_timeout,
            headers={"User-Agent": "kidney-genetics-doctor"},
            transport=outbound_transport(Limits()),
            trust_env=False,
        )
        self._stack.push_async_callback(client.aclose)
        return client

    def fresh(self) -> "Context":
        """Return a new context with the same arguments, no cached values and no connections."""
        return Context(
            root=self.root,
            offline=self.offline,
            environ=self.environ,
            settings=self._given,
            units=self.units,
            limit=self.limit,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._stack.aclose()
