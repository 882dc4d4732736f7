"""Exits with 0 when the arq worker of this container is alive in PostgreSQL, by lock and heartbeat.

arq's own line in Redis, which ``arq --check`` looks at, is one for all workers of a queue.
"""

import asyncio
import socket
import sys

from app.core.config import get_settings
from app.core.guard import guard
from app.core.worker_views import list_workers
from app.db.engine import create_engine


async def healthy() -> bool:
    """Ask PostgreSQL; a container's host name is its own."""
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
