import gc
import os
import signal
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import hypothesis
import pytest
import redis as redis_sync

from app.annotation.settings import Settings
from harness import timing
from services.postgres import Postgres, running_postgres
from services.redis import Redis, running_redis
from tests.clusters import copied_instead_of_initialised
from tests.databases import Databases
from tests.forked import Programs
from tests.memory import in_memory

REPOSITORY = Path(__file__).resolve().parents[2]

# how long an example takes says more about the machine than about the code
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

OURS = {name.upper() for name in Settings.model_fields}
"""The variables of the settings."""

TEST_TIMEOUT = 120.0
"""Seconds that one test may take on a quiet machine, if no marker says otherwise."""


def pytest_configure(config: pytest.Config) -> None:
    # by the process that starts the others, which inherit it
    if timing.VARIABLE not in os.environ:
        processes = config.getoption("numprocesses", default=None) or 1
        os.environ[timing.VARIABLE] = f"{timing.measure(processes):.2f}"
    config.addinivalue_line("markers", "reliability: kills and freezes real servers and workers")
    config.addinivalue_line("markers", "pages: follows the documentation, or opens a browser")
    config.addinivalue_line("markers", "essential: one of the reliability tests of every test run")


def pytest_report_header() -> str:
    return f"time limits are multiplied by {timing.slowdown():g}: see harness/timing.py"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect the tests without Python's collector, which would take half of the time.

    It would look at a million objects again and again, and all of them stay.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


# before pytest selects by markers
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scale timeouts, begin with what may take longest, and mark what needs a browser."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.pages)
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
    for name in OURS & os.environ.keys():
        monkeypatch.delenv(name)


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


@pytest.fixture(scope="session", autouse=True)
def _copied_clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """PostgreSQL's data is initialised once for all processes of the tests."""
    with copied_instead_of_initialised(_shared(tmp_path_factory, "clusters")):
        yield


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Starts programs of the project that share one import."""
    programs = Programs(_shared(tmp_path_factory, "programs"))
    yield programs
    programs.close()


def _shared(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a folder of all processes of the tests."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    shared.mkdir(exist_ok=True)
    return shared


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL server of the tests' own."""
    folder = tmp_path_factory.mktemp("postgres")
    with in_memory() as memory, running_postgres(memory or folder) as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Iterator[Databases]:
    """The databases on that server."""
    databases = Databases(postgres)
    yield databases
    databases.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A migrated database without rows."""
    name = databases.take()
    yield databases.dsn(name)
    databases.give_back(name)


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """A database that was never migrated."""
    name = databases.create()
    yield databases.dsn(name)
    databases.drop(name)


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
