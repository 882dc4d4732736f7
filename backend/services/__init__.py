"""Real PostgreSQL and Redis servers without root, Docker or system packages.

They are for development and tests only. `running_postgres` and `running_redis` run a server for the
duration of a `with` block. `python -m services up|down|status` controls a pair of servers that
keeps running between commands.
"""

from services.postgres import Postgres, running_postgres
from services.redis import Redis, running_redis

__all__ = ["Postgres", "Redis", "running_postgres", "running_redis"]
