import os
import signal
import uuid
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import hypothesis
import psycopg
import pytest
import redis as redis_sync
from psycopg import sql
from sqlalchemy import create_engine

from app.annotation.settings import Settings
from app.db import migrate
from app.db.engine import psycopg_url
from harness import timing
from services.postgres import Postgres, running_postgres
from services.redis import Redis, running_redis

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = "template_migrated"

# how long an example takes says more about the machine than about the code
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

TEST_TIMEOUT = 120.0
"""Seconds that one test may take on a quiet machine, if no marker says otherwise."""


def pytest_configure(config: pytest.Config) -> None:
    # by the process that starts the others, which inherit it
    if timing.VARIABLE not in os.environ:
        processes = config.getoption("numprocesses", default=None) or 1
        os.environ[timing.VARIABLE] = f"{timing.measure(processes):.2f}"
    config.addinivalue_line("markers", "reliability: kills and freezes real servers and workers")
    config.addinivalue_line("markers", "essential: one of the reliability tests of every test run")


def pytest_report_header() -> str:
    return f"time limits are multiplied by {timing.slowdown():g}: see harness/timing.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scale the tests' timeouts, and begin with what may take longest."""
    markers = {item: item.get_closest_marker("timeout") for item in items}
    limits = {item: marker.args[0] for item, marker in markers.items() if marker}
    for item in items:
        limit = timing.scaled(limits.get(item, TEST_TIMEOUT))
        item.add_marker(pytest.mark.timeout(limit), append=False)
    items.sort(key=lambda item: limits.get(item, 0), reverse=True)
    long = len(limits)
    # a process is handed two at once: nothing long is to wait behind something long
    pairs = zip_longest(items[:long], items[long:])
    items[:] = [item for pair in pairs for item in pair if item is not None]


@pytest.fixture(autouse=True)
def _only_the_tests_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's environment, `.env` and running services out of the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def as_from_a_shell() -> Iterator[None]:
    """Let programs heed SIGINT and SIGHUP, also when the session runs in the background."""
    signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
    # `&` in a script and nohup ignore these, and programs that are started inherit that
    ignored = [each for each in signals if signal.getsignal(each) is signal.SIG_IGN]
    for each in ignored:
        signal.signal(each, signal.SIG_DFL)
    yield
    for each in ignored:
        signal.signal(each, signal.SIG_IGN)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL server of the tests' own."""
    with running_postgres(tmp_path_factory.mktemp("postgres")) as server:
        _execute(server.dsn, f"CREATE DATABASE {TEMPLATE}")
        engine = create_engine(psycopg_url(_dsn(server, TEMPLATE)))
        with engine.begin() as connection:
            migrate.upgrade(connection)
        engine.dispose()
        yield server


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """A migrated database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    _execute(postgres.dsn, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield _dsn(postgres, name)
    _drop(postgres, name)


@pytest.fixture
def empty_database_url(postgres: Postgres) -> Iterator[str]:
    """A database that was never migrated."""
    name = f"test_{uuid.uuid4().hex}"
    _execute(postgres.dsn, f"CREATE DATABASE {name}")
    yield _dsn(postgres, name)
    _drop(postgres, name)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis server of the tests' own."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """An empty Redis."""
    with redis_sync.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings that point at the test's own database."""
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=database_url,
        admin_token="a-token-of-the-tests",
        cache_dir=tmp_path / "cache",
    )


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real answers of the upstream services, where they are at hand."""
    folder = Path(os.environ.get("SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"recorded upstream answers are not at {folder}")
    return folder


def _dsn(server: Postgres, database: str) -> str:
    return (
        psycopg_url(server.dsn)
        .set(drivername="postgresql", database=database)
        .render_as_string(hide_password=False)
    )


def _drop(server: Postgres, database: str) -> None:
    # an autovacuum worker that is in it is the superuser's, and only that one may end it
    _execute(server.superuser_dsn, f"DROP DATABASE {database} WITH (FORCE)")


def _execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL(statement))  # type: ignore[arg-type]
