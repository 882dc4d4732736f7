import stat

import pytest

from services import addresses


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch):
    for name in addresses.VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".run").mkdir()
    return tmp_path


def test_the_environment_takes_precedence_and_an_empty_value_counts_as_unset(root, monkeypatch):
    (root / ".env").write_text("DATABASE_URL=postgresql://file/x\nREDIS_URL=redis://file\n")
    monkeypatch.setenv("DATABASE_URL", "postgresql://environment/x")
    monkeypatch.setenv("REDIS_URL", "")
    assert addresses.configured(root) == {
        "DATABASE_URL": "postgresql://environment/x",
        "REDIS_URL": "redis://file",
    }


def test_names_in_the_file_may_be_lower_case(root):
    (root / ".env").write_text("redis_url=redis://file\n")
    assert addresses.configured(root) == {"REDIS_URL": "redis://file"}


def test_without_configuration_there_are_no_addresses(root):
    assert addresses.configured(root) == {}


@pytest.mark.parametrize(
    "database_url",
    ["postgresql://a:p%40#s@h:1/d", r"host=h user=a password='it\'s \\ one' dbname=d"],
)
def test_the_written_addresses_can_be_read_back_but_only_by_their_owner(root, database_url):
    urls = {"DATABASE_URL": database_url, "REDIS_URL": "redis://:x@h:2/0"}
    path = addresses.services_env(root)
    path.write_text("an older one")
    path.chmod(0o644)
    addresses.write_services_env(root, urls)
    assert addresses.read_services_env(root) == urls
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:secret@db.example:5433/x", "db.example:5433"),
        ("postgresql+psycopg://user:secret@db.example/x", "db.example:5432"),
        ("redis://:secret@localhost/0", "localhost:6379"),
        ("postgresql:///x", "[local]:5432"),
        ("postgresql:///x?host=/run/postgresql", "/run/postgresql:5432"),
        ("postgresql://user:secret@one,two:5433/x", "one,two:5432"),
        ("host=db.example port=5433 password=secret", "db.example:5433"),
    ],
)
def test_where_shows_only_host_and_port(url, shown):
    assert addresses.where(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://[bad",
        "postgresql://user:secret@h:port/x?no=such",
        "postgresql://user:sec@ret@h/x",
        "redis://h:port",
    ],
)
def test_an_invalid_address_is_reported_without_its_secrets(url):
    reason = addresses.connection_error(url)
    assert reason
    assert "secret" not in reason
