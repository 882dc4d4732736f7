"""The queries of `/health/ready` and `/metrics`."""

from datetime import datetime

from sqlalchemy import text

from app.annotation.overview.sources import Counts, count_answers
from app.annotation.refresh.coverage import Coverage, coverage
from app.annotation.settings import Settings
from app.api.recent import Recent
from app.api.shared_query import SharedQuery
from app.api.statistics import Statistics, read_statistics
from app.core.arq.client import connect
from app.db.engine import create_engine

PROBE_CONNECTIONS = 4
"""Connections to PostgreSQL: one for each query."""


COUNT_TIMEOUT = 60.0
"""The timeout of the passes over all annotations, in seconds. Callers wait for less time."""


class Probes:
    """Queries PostgreSQL and Redis on separate connections.

    So a probe is answered even if requests use all other connections.

    Args:
        settings: the settings, with the addresses of PostgreSQL and Redis.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._db = create_engine(
            settings.database_url.get_secret_value(),
            session="kidney-genetics api probes",
            pool_size=PROBE_CONNECTIONS,
        ).execution_options(isolation_level="AUTOCOMMIT")
        self._redis = None
        if settings.use_arq_worker:
            self._redis = connect(settings.redis_url.get_secret_value(), settings.arq_queue_name)
        self._postgres_check = SharedQuery(self._query_postgres)
        self._redis_check = SharedQuery(self._query_redis)
        self._statistics = SharedQuery(self._query_statistics)
        # cached, because a pass over all annotations takes some tenths of a second
        self._coverage = SharedQuery(self._query_coverage)
        self._recent_coverage = Recent(self._coverage.result)
        self._counts = SharedQuery(self._query_counts, timeout=COUNT_TIMEOUT)
        self._recent_counts = Recent(self._counts.result)

    @property
    def uses_redis(self) -> bool:
        """Whether Redis is used. It is not if the API executes runs itself."""
        return self._redis is not None

    async def check_postgres(self) -> None:
        """Check that PostgreSQL answers.

        Raises:
            Unavailable: PostgreSQL does not answer.
            Busy: this process is too busy to find out.
        """
        await self._postgres_check.result()

    async def check_redis(self) -> None:
        """Check that Redis answers, if it is used.

        Raises:
            Unavailable: Redis does not answer.
            Busy: this process is too busy to find out.
        """
        if self.uses_redis:
            await self._redis_check.result()

    async def statistics(self) -> Statistics:
        """Return the statistics of the runs, the workers and the schedules.

        Raises:
            Unavailable: PostgreSQL does not answer.
            Busy: this process is too busy to find out.
        """
        return await self._statistics.result()

    async def coverage(self) -> dict[str, Coverage]:
        """Return the coverage of the annotations by source. It may be minutes old.

        Raises:
            Unavailable: PostgreSQL does not answer.
            Busy: this process is too busy to find out.
        """
        return await self._recent_coverage.result()

    async def counts(self, ended: datetime | None) -> Counts:
        """Return the counts of answers for the pages. They may be minutes old.

        Args:
            ended: the end of the latest run. Counts from before are renewed.

        Raises:
            Unavailable: PostgreSQL does not answer.
            Busy: this process is too busy to find out.
        """
        found = await self._recent_counts.result()
        if ended is not None and found.at < ended:
            found = await self._recent_counts.renew()
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._recent_coverage.cancel()
        await self._recent_counts.cancel()
        for query in (
            *(self._postgres_check, self._redis_check, self._statistics),
            *(self._coverage, self._counts),
        ):
            await query.cancel()
        await self._db.dispose()
        if self._redis is not None:
            await self._redis.aclose(close_connection_pool=True)

    async def _query_postgres(self) -> None:
        async with self._db.connect() as connection:
            await connection.execute(text("SELECT FROM runs LIMIT 1"))

    async def _query_redis(self) -> None:
        assert self._redis is not None
        await self._redis.ping()

    async def _query_statistics(self) -> Statistics:
        async with self._db.connect() as connection:
            return await read_statistics(connection)

    async def _query_coverage(self) -> dict[str, Coverage]:
        async with self._db.connect() as connection:
            return await coverage(connection)

    async def _query_counts(self) -> Counts:
        async with self._db.connect() as connection:
            return await count_answers(connection, self._settings)
