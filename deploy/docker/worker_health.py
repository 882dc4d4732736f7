"""Exits with 0 if this container's arq worker holds its lock and has a recent heartbeat.

``arq --check`` cannot tell this: it reads a line in Redis that all workers of a queue share.
"""

import asyncio
import socket
import sys

from app.annotation.settings import get_settings
from app.core.process.guard import guard
from app.core.workers.views import list_workers
from app.db.engine import create_engine


async def healthy() -> bool:
    """Return whether an arq worker with the host name of this container is alive."""
    dsn = get_settings().database_url.get_secret_value()
    db = create_engine(dsn, session="kidney-genetics health", pool_size=1)
    try:
        async with db.connect() as connection:
            workers = await list_workers(connection)
    finally:
        await db.dispose()
    host = socket.gethostname()
    return any(each.alive and each.kind == "arq" and each.host == host for each in workers)


if __name__ == "__main__":
    guard()
    sys.exit(0 if asyncio.run(healthy()) else "no worker of this container is alive")
