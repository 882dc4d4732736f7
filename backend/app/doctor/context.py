"""What the checks share. Heavy libraries are imported when a check first asks for them."""

import getpass
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.config import ROOT
from app.core.errors import KidneyGeneticsError, WrongUse

if TYPE_CHECKING:
    from httpx import AsyncClient
    from redis.asyncio import Redis

    from app.annotation.upstream.settings import UpstreamSettings

WHOLE = 4.0
"""Seconds that all checks may take, unless it is said otherwise; the other limits go with it."""

PATIENCE = 2.0
"""Seconds that a server has to accept a connection or to answer, less than a check has in all."""


class Unavailable(KidneyGeneticsError):
    """What a check needs is not there; the check is skipped, as another one says what is wrong."""


class Context:
    """What the checks look at.

    Args:
        root: the checkout.
        offline: whether to leave the upstream services alone.
        environ: the environment; left out, this process' own.
        settings: left out, they are read from the environment and the checkout's ``.env``.
        units: where systemd's units are installed.
        api_port: where the API listens.
        limit: seconds that all checks may take.
    """

    def __init__(
        self,
        *,
        root: Path = ROOT,
        offline: bool = False,
        environ: Mapping[str, str] | None = None,
        settings: "UpstreamSettings | None" = None,
        units: Path = Path("/etc/systemd/system"),
        api_port: int = 8000,
        limit: float = WHOLE,
    ) -> None:
        self.root = root
        self.offline = offline
        self.environ = os.environ if environ is None else environ
        self.units = units
        self.api_port = api_port
        self.limit = limit
        self._given = settings
        self._stack = AsyncExitStack()
        self._redis: Redis | None = None
        self._http: AsyncClient | None = None

    @property
    def backend(self) -> Path:
        """Where the code is."""
        return self.root / "backend"

    @property
    def env_file(self) -> Path:
        """Where the settings are, unless the environment has them."""
        return self.root / ".env"

    @cached_property
    def env_text(self) -> str | None:
        """What stands in ``.env``; None when there is none, or it cannot be read."""
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
                remedy="rm -rf .venv && make",
            )
        except OSError as error:
            return WrongUse(
                f"{self.env_file} cannot be read: {error.strerror}",
                allowed="a file that belongs to the user who runs this",
                remedy=f"sudo chown {getpass.getuser()} .env",
            )

    @property
    def refusal(self) -> WrongUse | None:
        """Why the settings cannot be used; None when they can."""
        return self._loaded if isinstance(self._loaded, WrongUse) else None

    @property
    def settings(self) -> "UpstreamSettings":
        """The settings; a check that asks for them needs ``config.valid``.

        Raises:
            Unavailable: they cannot be used.
        """
        if isinstance(self._loaded, WrongUse):
            raise Unavailable("the settings cannot be used") from self._loaded
        return self._loaded

    def within(self, seconds: float) -> float:
        """Return how long to wait for something that may take so long when all may take 4 s."""
        return seconds * self.limit / WHOLE

    def redis(self) -> "Redis":
        """Return the client of Redis; it connects when first used, and answers bytes."""
        if self._redis is None:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff

            from app.core.redis.pool import new_pool

            self._redis = Redis.from_pool(
                new_pool(
                    self.settings.redis_url.get_secret_value(),
                    socket_timeout=self.within(PATIENCE),
                    socket_connect_timeout=self.within(PATIENCE),
                    retry=Retry(NoBackoff(), 0),
                )
            )
            self._stack.push_async_callback(self._redis.aclose)
        return self._redis

    def http(self) -> "AsyncClient":
        """Return the client for HTTP; a check that asks for it needs ``config.network``."""
        if self._http is None:
            from httpx import AsyncClient, Limits

            from app.annotation.upstream import way_out

            self._http = AsyncClient(
                timeout=self.within(PATIENCE),
                headers={"User-Agent": "kidney-genetics-doctor"},
                transport=way_out(Limits()),
                trust_env=False,
            )
            self._stack.push_async_callback(self._http.aclose)
        return self._http

    def fresh(self) -> "Context":
        """Return another one that has read nothing yet."""
        return Context(
            root=self.root,
            offline=self.offline,
            environ=self.environ,
            settings=self._given,
            units=self.units,
            api_port=self.api_port,
            limit=self.limit,
        )

    async def close(self) -> None:
        """Close what was opened."""
        await self._stack.aclose()
