import pytest

from app.annotation.settings import load_settings
from app.core.errors import WrongUse
from app.db import address
from app.db.engine import create_engine, dsn_of

SECRET = "hunter2x"

ACCEPTED = [
    ("postgresql://u:p%40%2Fx@h:5433/n", {"host": "h", "port": "5433", "password": "p@/x"}),
    ("postgres://u@h/n", {"user": "u", "host": "h", "dbname": "n"}),
    ("postgresql+psycopg://u:p@h/n", {"host": "h", "dbname": "n"}),
    ("postgresql://u:p@h1,h2:5433/n", {"host": "h1,h2", "port": ",5433"}),
    ("postgresql://u@h1:1,h2:2/n?target_session_attrs=primary", {"port": "1,2"}),
    ("postgresql:///n?host=/run/postgresql", {"host": "/run/postgresql", "dbname": "n"}),
    ("postgresql://%2Frun%2Fpostgresql/n", {"host": "/run/postgresql"}),
    ("postgresql://[::1]:5433/n", {"host": "::1", "port": "5433"}),
    ("postgresql://h/n?options=-csearch_path%3Dkg", {"options": "-csearch_path=kg"}),
    ("postgresql://u:a b@h/no such", {"password": "a b", "dbname": "no such"}),
    ("postgresql:///?service=kg", {"service": "kg"}),
    ("host=/run/pg dbname=n user=u password='a b'", {"password": "a b", "dbname": "n"}),
    ("postgresql://u:a?b#c@h/n", {"password": "a?b#c", "host": "h"}),
]


@pytest.mark.parametrize(("dsn", "given"), ACCEPTED)
def test_an_address_that_psql_accepts_is_parsed_as_psql_parses_it(
    dsn, given, tmp_path, monkeypatch
) -> None:
    found = address.parse(dsn)
    assert {name: found[name] for name in given} == given
    monkeypatch.setenv("DATABASE_URL", dsn)
    assert load_settings(tmp_path / ".env").database_url.get_secret_value() == dsn


@pytest.mark.parametrize(("dsn", "given"), ACCEPTED)
def test_an_engine_has_the_same_address(dsn, given) -> None:
    db = create_engine(dsn, session="test")
    assert address.parse(dsn_of(db)) == address.parse(dsn)
    assert address.where(dsn_of(db)) == address.where(dsn)


@pytest.mark.parametrize(
    ("dsn", "why"),
    [
        (f"mysql://u:{SECRET}@h/n", "several hosts, a Unix socket"),
        (f"postgresql://u:{SECRET[:4]}@{SECRET[4:]}@h/n", "%40 for @"),
        (f"postgresql://u:{SECRET[:4]}/{SECRET[4:]}@h/n", "%2F for /"),
        (f"postgresql://u:1/{SECRET}@h/n", "%2F for /"),
        (f"postgresql://u:{SECRET}@h:{SECRET}/n", "a port is a number from 1 to 65535"),
        (f"postgresql://u:{SECRET}@h:65536/n", "a port is a number from 1 to 65535"),
        (f"postgresql://u:%{SECRET}@h/n", "percent-encoded"),
        (f"postgresql://u:{SECRET}@[h/n", "matching"),
        (f"postgresql://u:{SECRET}@h/n?{SECRET}=1", "invalid URI query parameter"),
        (f"host=h password=a {SECRET}", "missing"),
        (f"host=h {SECRET}=1", "invalid connection option"),
        (f"host=a,b,c port=1,2 password={SECRET}", "one port for each host"),
        (f"postgresql://u:{SECRET}@h/n?connect_timeout=soon", "connect_timeout is a whole number"),
        (f"postgresql://u:{SECRET}@h/n?target_session_attrs=rw", "read-write"),
        (SECRET, "postgresql://user:password@host:5432/name"),
    ],
)
def test_an_invalid_address_is_refused_with_the_reason_and_without_its_text(
    dsn, why, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", dsn)
    with pytest.raises(WrongUse) as error:
        load_settings(tmp_path / ".env")
    told = str(error.value)
    assert "postgresql://user:password@host:5432/name" in told
    assert why in told
    assert not {SECRET, SECRET[:4], SECRET[4:]} & set(told.replace("/", " ").split())
    assert SECRET not in told


def test_an_address_is_shown_without_its_password(monkeypatch) -> None:
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    shown = {
        f"postgresql://u:{SECRET}@db.example:5433/n": "db.example:5433/n as u",
        f"postgresql://u:{SECRET}@h1,h2:5433/n": "h1:5432,h2:5433/n as u",
        f"postgresql://u:{SECRET}@/n?host=/run/pg": "/run/pg:5432/n as u",
        f"postgresql://u:{SECRET}@/n": "[local]:5432/n as u",
        f"postgresql://u:{SECRET}@[::1]/n": "[::1]:5432/n as u",
        "postgresql://?service=kg": "service kg",
    }
    assert {dsn: address.where(dsn) for dsn in shown} == shown
    monkeypatch.setenv("PGHOST", "elsewhere")
    assert address.where(f"postgresql://u:{SECRET}@/n") == "elsewhere:5432/n as u"


def test_defaults_do_not_replace_settings_of_the_address_or_the_environment(monkeypatch) -> None:
    monkeypatch.delenv("PGCONNECT_TIMEOUT", raising=False)
    plain = address.parameters("postgresql://h/n", session="s")
    assert address.DEFAULTS.items() <= plain.items()
    assert plain["application_name"] == "s"
    assert "options" not in plain
    own = address.parameters(
        "postgresql://h/n?connect_timeout=30&keepalives_idle=60&options=-cwork_mem%3D64MB",
        session="s",
    )
    assert (own["connect_timeout"], own["keepalives_idle"]) == ("30", "60")
    assert own["options"] == "-cwork_mem=64MB"
    # libpq reads it where the parameters leave it out
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "45")
    assert "connect_timeout" not in address.parameters("postgresql://h/n", session="s")


def test_of_several_hosts_the_connection_goes_to_the_one_that_accepts_writes(monkeypatch) -> None:
    monkeypatch.delenv("PGTARGETSESSIONATTRS", raising=False)
    given = address.parameters("postgresql://h1,h2/n", session="s")
    assert given["target_session_attrs"] == "read-write"
    given = address.parameters("postgresql://h1,h2/n?target_session_attrs=any", session="s")
    assert given["target_session_attrs"] == "any"
    assert "target_session_attrs" not in address.parameters("postgresql://h/n", session="s")
