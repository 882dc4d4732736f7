"""What an address, PGOPTIONS and PgBouncer have to say reaches every connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import text

from app.core.errors import UserError
from app.core.postgres.migration import upgrade
from app.core.postgres.schema import check_schema
from app.core.workers.liveness import Liveness
from app.core.workers.timing import Timing
from app.db import address
from app.db.engine import create_engine
from services import addresses
from services.postgres import Postgres

PID = text("SELECT pg_backend_pid()")

SHOWN = (
    "SELECT current_setting('search_path') AS search_path, current_setting('work_mem') AS work_mem,"
    " current_setting('idle_in_transaction_session_timeout') AS idle,"
    " current_setting('tcp_keepalives_idle') AS keepalives,"
    " current_setting('client_encoding') AS encoding,"
    " current_setting('application_name') AS name"
)


def with_options(dsn: str, options: str) -> str:
    return f"{dsn}?options={quote(options)}"


@asynccontextmanager
async def session(dsn: str) -> AsyncIterator[dict[str, Any]]:
    """Return the settings of a connection of a pool."""
    db = create_engine(dsn, session="test")
    async with db.connect() as connection:
        yield dict((await connection.execute(text(SHOWN))).mappings().one())
    await db.dispose()


async def test_options_of_the_address_are_combined_with_our_own(empty_database_url: str) -> None:
    dsn = with_options(
        empty_database_url, "-csearch_path=kg -cidle_in_transaction_session_timeout=7s"
    )
    async with session(dsn) as found:
        assert (found["search_path"], found["idle"]) == ("kg", "7s")
        assert (found["keepalives"], found["encoding"]) == ("5", "UTF8")
        assert found["name"] == "test"


async def test_options_of_the_environment_are_combined_with_our_own(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-csearch_path=kg -cwork_mem=9MB")
    async with session(empty_database_url) as found:
        assert (found["search_path"], found["work_mem"]) == ("kg", "9MB")
        assert (found["idle"], found["keepalives"]) == ("30s", "5")


async def test_a_workers_own_session_has_them_too(database_url: str) -> None:
    worker = Liveness(with_options(database_url, "-cwork_mem=9MB"), kind="arq", timing=Timing())
    connection = await worker.connect()
    found = await (await connection.execute(SHOWN.encode())).fetchone()
    assert found is not None
    assert found[1:4] == ("9MB", "30s", "5")
    await worker.stop()


async def test_tables_are_made_in_the_schema_that_the_address_names(
    empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE SCHEMA kg")
    db = create_engine(with_options(empty_database_url, "-csearch_path=kg"), session="test")
    with caplog.at_level("INFO"):
        await upgrade(db)
    await check_schema(db)
    await db.dispose()
    assert "the tables are in schema kg" in caplog.text
    with psycopg.connect(empty_database_url) as connection:
        found = connection.execute(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname IN ('kg', 'public')"
        ).fetchall()
    assert found == [("kg",)]


async def test_tables_of_another_schema_are_not_mistaken_for_those_of_the_first(
    database_url: str,
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE SCHEMA kg")
    db = create_engine(with_options(database_url, "-csearch_path=kg,public"), session="test")
    with pytest.raises(UserError, match=r"in schema public, but search_path \(kg,public\)"):
        await check_schema(db)
    await upgrade(db)
    async with db.connect() as connection:
        found = await connection.execute(text("SELECT 'runs'::regclass = 'kg.runs'::regclass"))
        assert found.scalar_one()
    await db.dispose()


async def test_tables_that_search_path_hides_are_named_with_their_schema(
    database_url: str,
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER SCHEMA public RENAME TO kg")
        connection.execute("CREATE SCHEMA public")
    db = create_engine(database_url, session="test")
    with pytest.raises(UserError, match="the tables are in schema kg, but search_path") as error:
        await check_schema(db)
    assert "not migrated" not in str(error.value)
    assert "?options=-csearch_path%3Dkg" in error.value.allowed
    assert "SET search_path = kg" in error.value.remedy
    await db.dispose()
    with psycopg.connect(database_url) as connection:
        connection.execute(error.value.remedy.partition("in psql: ")[2].encode())
    db = create_engine(database_url, session="test")
    await check_schema(db)
    await db.dispose()


@pytest.mark.parametrize("path", ["kg", "kg,public"])
async def test_nothing_is_made_in_public_when_the_schema_is_not_there(
    empty_database_url: str, path: str
) -> None:
    db = create_engine(with_options(empty_database_url, f"-csearch_path={path}"), session="test")
    for step in (upgrade, check_schema):
        with pytest.raises(UserError, match="leads to schema kg, but it does not exist") as error:
            await step(db)
        assert "CREATE SCHEMA kg AUTHORIZATION kidney_genetics" in error.value.remedy
    await db.dispose()
    with psycopg.connect(empty_database_url) as connection:
        found = connection.execute("SELECT FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert found == []


async def test_a_database_of_another_encoding_is_migrated(postgres: Postgres) -> None:
    name = "of_another_encoding"
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C'"
            " LC_CTYPE 'C'".encode()
        )
    dsn = psycopg.conninfo.make_conninfo("", **address.parse(postgres.dsn) | {"dbname": name})
    try:
        db = create_engine(dsn, session="test")
        await upgrade(db)
        async with db.begin() as connection:
            await connection.execute(
                text("INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:1', 'é')")
            )
            found = await connection.execute(text("SELECT symbol FROM genes"))
            assert found.scalar_one() == "é"
        await db.dispose()
    finally:
        with psycopg.connect(postgres.superuser_dsn, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


async def test_of_several_hosts_the_one_that_answers_is_used(database_url: str) -> None:
    given = address.parse(database_url)
    given |= {"host": f"127.0.0.1,{given['host']}", "port": f"1,{given['port']}"}
    async with session(psycopg.conninfo.make_conninfo("", **given)) as found:
        assert found["name"] == "test"


@asynccontextmanager
async def socket_of(dsn: str) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """A folder with a Unix socket of the server, and the other parts of the address."""
    given = address.parse(dsn)
    host, port = given.pop("host"), given.pop("port")
    tasks: set[asyncio.Task[None]] = set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while said := await reader.read(65_536):
                writer.write(said)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, port)
        tasks.update(asyncio.ensure_future(p) for p in (pipe(reader, back), pipe(there, writer)))

    # of a short name: the path of a socket has 107 characters at most
    with TemporaryDirectory(prefix="kg") as folder:
        server = await asyncio.start_unix_server(serve, f"{folder}/.s.PGSQL.5432")
        yield folder, given
        server.close()
        await asyncio.gather(*tasks)


async def test_a_unix_socket_is_an_address(database_url: str) -> None:
    async with socket_of(database_url) as (folder, given):
        url = (
            f"postgresql://{given['user']}:{quote(given['password'], safe='')}@/{given['dbname']}"
            f"?host={folder}"
        )
        pairs = psycopg.conninfo.make_conninfo("", host=folder, **given)
        for dsn in (url, pairs):
            async with session(dsn) as found:
                assert found["name"] == "test"
            assert await asyncio.to_thread(addresses.connection_error, dsn) is None
            assert address.where(dsn).startswith(f"{folder}:5432/")


async def test_a_connection_that_was_closed_while_idle_is_replaced(
    database_url: str,
) -> None:
    db = create_engine(database_url, session="test", pool_size=2)
    async with db.connect() as first, db.connect() as second:
        pids = [(await each.execute(PID)).scalar_one() for each in (first, second)]
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
        for pid in pids:
            # it returns when the process has ended
            await other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    async with db.connect() as first, db.connect() as second:
        new = [(await each.execute(PID)).scalar_one() for each in (first, second)]
    assert not {*new} & {*pids}
    await db.dispose()
