"""Real PostgreSQL and Redis servers without root, Docker or system packages.

For development and tests only. `running_postgres` and `running_redis` give a server of one's own
for as long as a `with` block lasts; `python -m services up|down|status` keeps a pair running
between commands.
"""

from services.postgres import Postgres, running_postgres
from services.redis import Redis, running_redis

__all__ = ["Postgres", "Redis", "running_postgres", "running_redis"]
