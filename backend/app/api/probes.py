"""What `/health/ready` and `/metrics` ask PostgreSQL and Redis, apart from all other requests."""

from sqlalchemy import text

from app.api.numbers import Numbers, read_numbers
from app.api.question import Question
from app.core.arq.client import connect
from app.core.config import Settings
from app.db.engine import create_engine

CONNECTIONS = 2
"""To PostgreSQL: one for each of the two questions."""


class Probes:
    """Asks with connections of its own, so that busy requests keep nobody from an answer.

    Args:
        settings: where PostgreSQL and Redis are.
    """

    def __init__(self, settings: Settings) -> None:
        self._db = create_engine(
            settings.database_url.get_secret_value(),
            session="kidney-genetics api probes",
            pool_size=CONNECTIONS,
        ).execution_options(isolation_level="AUTOCOMMIT")
        self._redis = None
        if settings.use_arq_worker:
            self._redis = connect(settings.redis_url.get_secret_value(), settings.arq_queue_name)
        self._postgres_answers = Question(self._ask_postgres)
        self._redis_answers = Question(self._ask_redis)
        self._numbers = Question(self._ask_numbers)

    @property
    def uses_redis(self) -> bool:
        """Whether Redis is used at all; not where the API executes runs itself."""
        return self._redis is not None

    async def postgres(self) -> None:
        """Make sure that PostgreSQL answers.

        Raises:
            Away: it does not.
            Busy: this process has too much to do to tell.
        """
        await self._postgres_answers.answer()

    async def redis(self) -> None:
        """Make sure that Redis answers, if it is used.

        Raises:
            Away: it does not.
            Busy: this process has too much to do to tell.
        """
        if self.uses_redis:
            await self._redis_answers.answer()

    async def numbers(self) -> Numbers:
        """Return what PostgreSQL knows of the runs, the workers and the annotations.

        Raises:
            Away: PostgreSQL does not answer.
            Busy: this process has too much to do to tell.
        """
        return await self._numbers.answer()

    async def close(self) -> None:
        """Close the connections."""
        for question in (self._postgres_answers, self._redis_answers, self._numbers):
            await question.drop()
        await self._db.dispose()
        if self._redis is not None:
            await self._redis.aclose(close_connection_pool=True)

    async def _ask_postgres(self) -> None:
        async with self._db.connect() as connection:
            await connection.execute(text("SELECT FROM runs LIMIT 1"))

    async def _ask_redis(self) -> None:
        assert self._redis is not None
        await self._redis.ping()

    async def _ask_numbers(self) -> Numbers:
        async with self._db.connect() as connection:
            return await read_numbers(connection)
