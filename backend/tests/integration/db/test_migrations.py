import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy import create_engine as create_sync_engine

from app.core.errors import MIGRATE, UserError
from app.core.postgres.migration import upgrade
from app.core.postgres.schema import check_schema
from app.core.runs.events import Event
from app.core.runs.views import list_events
from app.db.engine import create_engine, psycopg_url
from app.db.migrate import alembic_config
from app.db.revisions import HEAD
from app.db.tables import metadata
from harness.timing import limit


def test_the_migrations_make_the_tables_that_the_code_describes(database_url: str) -> None:
    engine = create_sync_engine(psycopg_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


async def test_several_may_migrate_at_once(empty_database_url: str) -> None:
    engines = [create_engine(empty_database_url, session=f"test {n}") for n in range(5)]
    assert set(await asyncio.gather(*(upgrade(engine) for engine in engines))) == {HEAD}
    for engine in engines:
        await check_schema(engine)
        await engine.dispose()


@contextmanager
def migrated_to(dsn: str, version: str) -> Iterator[Connection]:
    """Migrate an empty database to an older version, and commit what is done in it."""
    engine = create_sync_engine(psycopg_url(dsn))
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        yield connection
    engine.dispose()


async def test_an_event_that_an_older_version_has_recorded_gets_its_present_name(
    empty_database_url: str,
) -> None:
    with migrated_to(empty_database_url, "0024") as older:
        older.execute(text("INSERT INTO runs (task, mode) VALUES ('t', 'smart')"))
        older.execute(
            text("INSERT INTO run_events (run_id, epoch, event) VALUES (1, 1, 'unknown_terms')")
        )
    db = create_engine(empty_database_url, session="test")

    await upgrade(db)

    async with db.connect() as connection:
        page = await list_events(connection, 1, limit=10)
    assert [each.event for each in page.events] == [Event.UNKNOWN_TERMS]
    await db.dispose()


async def test_a_migration_and_a_worker_never_wait_for_each_other(empty_database_url: str) -> None:
    with migrated_to(empty_database_url, "0013"):
        pass
    db = create_engine(empty_database_url, session="test")
    waits = text(
        "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE NOT l.granted AND d.datname = current_database()"
    )
    async with limit(), db.connect() as worker:
        await worker.execute(text("UPDATE runs SET error = NULL"))
        migration = asyncio.create_task(upgrade(db))
        async with db.connect() as looking:
            while not (await looking.execute(waits)).scalar_one():
                await asyncio.sleep(0.01)
        # with PostgreSQL's deadlock detection, one of the two would fail
        await worker.execute(text("UPDATE run_events SET detail = '{}'"))
        await worker.commit()
        assert await migration == HEAD
    await db.dispose()


async def test_a_database_that_was_never_migrated_is_named_with_the_command(
    empty_database_url: str,
) -> None:
    engine = create_engine(empty_database_url, session="test")
    with pytest.raises(UserError, match="not migrated") as error:
        await check_schema(engine)
    assert error.value.steps == (MIGRATE,)
    await engine.dispose()


async def test_a_database_of_a_newer_version_is_left_alone(database_url: str) -> None:
    engine = create_engine(database_url, session="test")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for step in (check_schema, upgrade):
        with pytest.raises(UserError, match="newer version"):
            await step(engine)
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT version_num FROM alembic_version"))
        assert found.scalar_one() == "9999"
    await engine.dispose()


async def test_an_address_where_nothing_answers_is_named_without_its_password() -> None:
    engine = create_engine("postgresql://someone:hunter2@127.0.0.1:1/x", session="test")
    for step in (check_schema, upgrade):
        with pytest.raises(UserError, match=r"127\.0\.0\.1:1/x") as error:
            await step(engine)
        assert "hunter2" not in str(error.value)
    await engine.dispose()
