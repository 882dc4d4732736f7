"""The dead man's switch: an address is called at intervals while everything works.

A service outside of this installation alerts people when the calls stop. It detects what no process
of this installation can report: that the host, the network or PostgreSQL is down.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import httpx
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.notify import execution
from app.core.notify.channels.outbound import FAILURES, explain, new_client
from app.core.notify.channels.settings import ChannelSettings
from app.core.process import cancelling
from app.core.process.redaction import redact
from app.db.engine import create_engine
from app.db.locks import Lock, keep

logger = logging.getLogger(__name__)

PING_TIMEOUT = 30.0
"""The timeout of the query, and of the call, in seconds."""

STOP_TIMEOUT = 5.0

_LOOKS_PER_INTERVAL = 3
"""The number of times per interval that a process polls if it has not called the address."""

_LOCK = Lock("the ping", table="incidents", number=2, timeout=0)
"""The process whose session holds this lock calls the address."""


async def start_ping(settings: ChannelSettings, stack: AsyncExitStack) -> None:
    """Start to call the configured address, if there is one.

    Args:
        settings: the settings with the address.
        stack: stops the calls when it is closed.

    Raises:
        UserError: the environment names a proxy, or certificates, that cannot be used.
    """
    if settings.ping_url is not None:
        ping = Ping(
            settings.database_url.get_secret_value(),
            settings.ping_url.get_secret_value(),
            new_client(allow_private=settings.notify_allow_private),
            interval=settings.ping_interval,
        )
        ping.start()
        stack.push_async_callback(ping.stop)


class Ping:
    """Calls an address at intervals while a worker is alive and ready runs are claimed.

    One process of an installation calls the address: the one that holds a lock in PostgreSQL. The
    others poll whether the lock is free, and keep no connection.

    Args:
        dsn: the address of PostgreSQL.
        url: the address to call.
        http: a client from :func:`~app.core.notify.channels.outbound.new_client`, which is closed
            at the end.
        interval: seconds between two calls.
    """

    def __init__(self, dsn: str, url: str, http: httpx.AsyncClient, *, interval: float) -> None:
        self._db = create_engine(dsn, session="kidney-genetics ping", pool_size=1)
        self._url = url
        self._interval = interval
        self._http = http
        self._connection: AsyncConnection | None = None
        self._loop: asyncio.Task[None] | None = None
        self._trouble = ""

    def start(self) -> None:
        """Start the calls in the background. PostgreSQL may be unavailable."""
        self._loop = asyncio.create_task(self._run(), name="ping")

    async def stop(self) -> None:
        """Stop, and release the lock for another process."""
        if self._loop is not None:
            await cancelling.end(self._loop, within=STOP_TIMEOUT)
        await self._disconnect()
        await self._http.aclose()
        await self._db.dispose()

    async def _run(self) -> None:
        while True:
            try:
                called = await self._once()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                called = False
                self._log_change(f"PostgreSQL is unavailable: {redact(str(error)) or 'no answer'}")
                await self._disconnect()
            except Exception:
                called = False
                logger.exception("the ping failed")
            await asyncio.sleep(self._interval if called else self._interval / _LOOKS_PER_INTERVAL)

    async def _once(self) -> bool:
        """Call the address if this process holds the lock and everything works.

        Returns:
            Whether the address was called.
        """
        async with asyncio.timeout(PING_TIMEOUT):
            if self._connection is None:
                autocommit = self._db.execution_options(isolation_level="AUTOCOMMIT")
                self._connection = await autocommit.connect()
                if not await self._connection.run_sync(keep, _LOCK):
                    await self._disconnect()
                    return False
            state = await execution.read_execution(self._connection)
        if not state.living:
            trouble = "no worker is alive"
        elif state.unclaimed_since is not None:
            trouble = "a run is ready and a worker is idle, but no worker claims the run"
        else:
            trouble = await self._call()
        self._log_change(trouble)
        return not trouble

    async def _call(self) -> str:
        """Call the address. Return the reason of a failure, or an empty string."""
        try:
            async with (
                asyncio.timeout(PING_TIMEOUT),
                self._http.stream("GET", self._url) as response,
            ):
                if response.is_success:
                    return ""
                return f"{urlsplit(self._url).hostname} answered {response.status_code}"
        except FAILURES as error:
            return explain(error, self._url)

    def _log_change(self, trouble: str) -> None:
        """Log a problem when it begins, and when it ends."""
        if trouble and trouble != self._trouble:
            logger.warning("the ping is not sent: %s", trouble)
        elif self._trouble and not trouble:
            logger.info("the ping is sent again")
        self._trouble = trouble

    async def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            # the lock is released with the session
            await connection.invalidate()
            await connection.close()
