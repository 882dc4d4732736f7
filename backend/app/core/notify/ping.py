"""The dead-man ping: a call of an address for as long as all is well.

A service outside of this installation tells people when the calls stop. It notices what no process
of this installation can tell: that the host, the network or PostgreSQL is gone.
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
"""Seconds for the question to PostgreSQL, and for the call."""

STOP_TIMEOUT = 5.0

_LOOKS_PER_INTERVAL = 3
"""How many times in an interval a process looks again that has not called the address."""

_LOCK = Lock("the ping", table="incidents", number=2, timeout=0)
"""The process whose session holds it calls the address."""


async def start_ping(settings: ChannelSettings, stack: AsyncExitStack) -> None:
    """Call the configured address from now on, if there is one. ``stack`` ends that.

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
    """Calls an address at intervals while at least one worker is alive and no queue stands still.

    Of all processes of an installation, one calls: the one that holds a lock in PostgreSQL. The
    others ask now and then whether the lock is free, and keep no connection.

    Args:
        dsn: the address of PostgreSQL.
        url: the address that is called.
        http: the client of :func:`~app.core.notify.channels.outbound.new_client`, which is closed
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
        """Begin. PostgreSQL may be unavailable."""
        self._loop = asyncio.create_task(self._run(), name="ping")

    async def stop(self) -> None:
        """End, and leave the calls to another process."""
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
                self._note(f"PostgreSQL does not answer: {redact(str(error)) or 'no answer'}")
                await self._disconnect()
            except Exception:
                called = False
                logger.exception("the ping failed")
            await asyncio.sleep(self._interval if called else self._interval / _LOOKS_PER_INTERVAL)

    async def _once(self) -> bool:
        """Call the address, if this process is the one that does and all is well."""
        async with asyncio.timeout(PING_TIMEOUT):
            if self._connection is None:
                autocommit = self._db.execution_options(isolation_level="AUTOCOMMIT")
                self._connection = await autocommit.connect()
                if not await self._connection.run_sync(keep, _LOCK):
                    await self._disconnect()
                    return False
            state = await execution.look(self._connection)
        if not state.living:
            trouble = "no worker is alive"
        elif state.unclaimed_since is not None:
            trouble = "a run is ready, a worker is idle, and nobody claims it"
        else:
            trouble = await self._call()
        self._note(trouble)
        return not trouble

    async def _call(self) -> str:
        """Call the address, and return what went wrong."""
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

    def _note(self, trouble: str) -> None:
        """Log what is wrong when it begins, and when it ends."""
        if trouble and trouble != self._trouble:
            logger.warning("the ping does not go out: %s", trouble)
        elif self._trouble and not trouble:
            logger.info("the ping goes out again")
        self._trouble = trouble

    async def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            # the lock ends with the session
            await connection.invalidate()
            await connection.close()
