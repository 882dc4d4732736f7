"""A role that may not do what is asked of it is told which right is missing, and gets it."""

from collections.abc import Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from pydantic import SecretStr

from app.annotation.settings import Settings
from app.core.postgres import refusals
from app.core.postgres.migration import upgrade
from app.core.postgres.refusals import Refused
from app.core.postgres.schema import check_schema
from app.db.engine import create_engine
from services.postgres import Postgres
from tests.integration.api.conftest import serving
from tests.integration.conftest import Query

ROLE = "kg reader"


@pytest.fixture
def role(postgres: Postgres) -> Iterator[str]:
    """A role without any right, for DATABASE_URL."""
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as superuser:
        superuser.execute(f"CREATE ROLE \"{ROLE}\" LOGIN PASSWORD 'x'".encode())
    yield ROLE
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as superuser:
        superuser.execute(f'DROP ROLE "{ROLE}"'.encode())


@pytest.fixture
def other(role: str, database_url: str, postgres: Postgres) -> Iterator[str]:
    """The address of a migrated database for the role, which may do nothing in it."""
    yield _as_role(database_url)
    _as_superuser(postgres, database_url, f'DROP OWNED BY "{ROLE}"')


def _as_role(dsn: str) -> str:
    parts = urlsplit(dsn)
    at = f"kg%20reader:x@{parts.hostname}:{parts.port}"
    return parts._replace(netloc=at).geturl()


def _as_superuser(postgres: Postgres, dsn: str, *statements: str) -> None:
    address = urlsplit(postgres.superuser_dsn)._replace(path=urlsplit(dsn).path).geturl()
    with psycopg.connect(address) as connection:
        for each in statements:
            connection.execute(each.encode())


@asynccontextmanager
async def engine(dsn: str):
    db = create_engine(dsn, session="test")
    try:
        yield db
    finally:
        await db.dispose()


async def test_a_right_on_the_tables_that_is_missing_is_named_with_the_grant(
    other: str, postgres: Postgres
) -> None:
    async with engine(other) as db:
        with pytest.raises(Refused, match="permission denied for table alembic_version") as error:
            await check_schema(db)
        assert "cannot be used" not in str(error.value)
        _as_superuser(postgres, other, error.value.statement)
        await check_schema(db)


async def test_a_right_on_the_schema_that_is_missing_is_named_with_the_grant(
    other: str, postgres: Postgres
) -> None:
    _as_superuser(postgres, other, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
    async with engine(other) as db:
        for step in (check_schema, upgrade):
            with pytest.raises(Refused, match="leads to schema public, but kg reader may not use"):
                await step(db)
        with pytest.raises(Refused) as error:
            await check_schema(db)
        assert "not migrated" not in str(error.value)
        _as_superuser(postgres, other, error.value.statement)
        await check_schema(db)


async def test_the_migration_reports_a_role_that_may_not_create_tables(
    role: str, empty_database_url: str, postgres: Postgres
) -> None:
    dsn = _as_role(empty_database_url)
    async with engine(dsn) as db:
        with pytest.raises(Refused, match="permission denied for schema public") as error:
            await upgrade(db)
        assert error.value.statement == f'GRANT USAGE, CREATE ON SCHEMA public TO "{ROLE}"'
        _as_superuser(postgres, dsn, error.value.statement)
        await upgrade(db)
    _as_superuser(postgres, dsn, f'DROP OWNED BY "{ROLE}"')


@pytest.mark.parametrize("how", ["rights", "default_transaction_read_only"])
async def test_the_api_of_a_role_that_only_reads_answers_in_words_and_without_a_traceback(
    arq_settings: Settings,
    genes: None,
    query: Query,
    other: str,
    postgres: Postgres,
    own_logging: None,
    how: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dsn = arq_settings.database_url.get_secret_value()
    grants = f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{ROLE}"'
    if how != "rights":
        grants = refusals.grants("public", ROLE, make_tables=False)
        grants += f'; ALTER ROLE "{ROLE}" SET default_transaction_read_only = on'
    _as_superuser(postgres, dsn, grants)
    settings = arq_settings.model_copy(update={"database_url": SecretStr(other)})
    async with serving(settings) as client:
        assert (await client.get("/api/genes/TTN")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        answer = await client.post("/api/admin/runs", json={"sources": ["ensembl"]})
    said = answer.json()
    assert answer.status_code == 503
    assert said["error"].startswith("the database does not allow the API to do that: ")
    assert said["remedy"] == "see the API's log"
    logged = capsys.readouterr()
    logged = logged.out + logged.err
    assert "Traceback" not in logged
    assert ("GRANT SELECT, INSERT" if how == "rights" else "read-only transaction") in logged


def test_a_command_of_a_role_that_only_reads_names_the_grant(
    plant, other: str, postgres: Postgres, genes: None
) -> None:
    _as_superuser(postgres, other, f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{ROLE}"')
    plant.env["DATABASE_URL"] = other
    assert plant.cli("runs").returncode == 0
    done = plant.cli("annotate", "ensembl")
    assert done.returncode == 1
    assert "permission denied for table runs" in done.stderr
    assert "GRANT USAGE ON SCHEMA public" in done.stderr
    assert "Traceback" not in done.stderr
