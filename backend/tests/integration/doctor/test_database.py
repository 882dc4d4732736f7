import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from app.core.checks import Status
from app.core.postgres import checks
from app.core.workers import liveness
from harness.timing import scaled
from services import Postgres, running_postgres
from tests.integration.doctor.ward import (
    change,
    equip,
    follow,
    query,
    running_pgbouncer,
    silent,
)
from tests.patient import Patient

CHECKS = (
    "database.reachable",
    "database.migrated",
    "database.encoding",
    "database.session-locks",
    "database.idle-in-transaction",
    "database.connections",
)


@pytest.fixture
def patient(patient: Patient) -> Patient:
    return equip(patient)


async def test_a_healthy_database_passes_all_checks(patient: Patient) -> None:
    found = await patient.all(*CHECKS)

    assert {name: found[name].status for name in CHECKS} == dict.fromkeys(CHECKS, Status.ok)


async def test_a_database_that_is_down_is_named_without_its_password(
    patient: Patient, tmp_path: Path
) -> None:
    with running_postgres(tmp_path / "own") as server:
        change(patient, database_url=server.dsn)
        server.stop()

        broken = await patient.all(*CHECKS)

        found = broken["database.reachable"].finding
        assert found.status is Status.failed
        assert f"127.0.0.1:{server.port}" in found.found
        assert urlsplit(server.dsn).password not in str(found)
        assert broken["database.reachable"].remedy == "make hybrid-up"
        assert broken["database.migrated"].status is Status.skipped
        server.start()  # what hybrid-up does, for a server that is ours
        assert (await patient.see("database.reachable")).status is Status.ok


async def test_a_database_that_is_silent_is_named_in_time(patient: Patient) -> None:
    with silent() as port:
        change(patient, database_url=f"postgresql://somebody:a-password@127.0.0.1:{port}/genes")

        broken = await patient.see("database.reachable", limit=scaled(4))

    assert broken.status is Status.failed
    assert f"127.0.0.1:{port}/genes as somebody" in broken.finding.summary
    assert "a-password" not in str(broken.finding)


async def test_a_database_that_does_not_exist_is_created(
    patient: Patient, tmp_path: Path, postgres: Postgres
) -> None:
    server = urlsplit(postgres.dsn)
    change(patient, database_url=server._replace(path="/not_there_yet").geturl())

    broken = await patient.see("database.reachable")

    assert broken.status is Status.failed
    assert broken.remedy.startswith("createdb ")
    try:
        patient.shell(broken.remedy.splitlines()[0])
        assert (await patient.see("database.reachable")).status is Status.ok
    finally:
        with psycopg.connect(postgres.dsn, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS not_there_yet WITH (FORCE)")


@pytest.fixture
def shadowed(patient: Patient) -> Iterator[list[str]]:
    """Functions of PostgreSQL that the test replaces with its own."""
    name = urlsplit(patient.env["DATABASE_URL"]).path.strip("/")
    query(patient, f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
    made: list[str] = []
    yield made
    for each in made:
        query(patient, f"DROP FUNCTION IF EXISTS public.{each}")


async def test_an_old_server_is_refused(patient: Patient, shadowed: list[str]) -> None:
    shadowed.append("current_setting(text)")
    query(
        patient,
        "CREATE FUNCTION public.current_setting(name text) RETURNS text LANGUAGE sql AS $$"
        " SELECT CASE name WHEN 'server_version' THEN '11.9' WHEN 'server_version_num'"
        " THEN '110009' ELSE pg_catalog.current_setting(name) END $$",
    )

    broken = await patient.see("database.reachable")

    assert broken.status is Status.failed
    assert broken.finding.summary == "PostgreSQL 11 is too old"
    query(patient, "DROP FUNCTION public.current_setting(text)")
    assert (await patient.see("database.reachable")).status is Status.ok


async def test_missing_tables_are_created_by_the_printed_command(
    patient: Patient, empty_database_url: str
) -> None:
    change(patient, database_url=empty_database_url)

    broken = await patient.see("database.migrated")

    assert broken.status is Status.failed
    assert "not migrated" in broken.finding.summary
    follow(patient, broken)
    assert (await patient.see("database.migrated")).status is Status.ok


async def test_fix_migrates_the_database(patient: Patient, empty_database_url: str) -> None:
    change(patient, database_url=empty_database_url)

    said = await patient.fix(await patient.see("database.migrated"))

    assert len(said) == 1
    assert (await patient.see("database.migrated")).status is Status.ok


async def test_tables_of_a_newer_version_are_left_alone(patient: Patient) -> None:
    query(patient, "UPDATE alembic_version SET version_num = '9999'")

    broken = await patient.see("database.migrated")

    assert broken.status is Status.failed
    assert "newer" in broken.finding.summary
    assert "git pull" in broken.remedy
    assert broken.check.fix is not None
    said = await patient.fix(broken)
    assert "could not" in said[0]
    assert query(patient, "SELECT version_num FROM alembic_version") == [{"version_num": "9999"}]


async def test_a_limit_of_the_database_that_is_too_low_is_lifted(
    patient: Patient, postgres: Postgres
) -> None:
    name = urlsplit(patient.env["DATABASE_URL"]).path.strip("/")
    query(patient, f'ALTER DATABASE "{name}" CONNECTION LIMIT 10')

    broken = await patient.see("database.connections")

    assert broken.status is Status.failed
    assert f"database {name}" in broken.finding.summary
    follow(patient, broken)
    assert (await patient.see("database.connections")).status is Status.ok


async def test_living_workers_are_counted_against_max_connections(
    patient: Patient, tmp_path: Path
) -> None:
    with running_postgres(tmp_path / "own") as server:
        change(patient, database_url=server.dsn)
        patient.env["PGPASSWORD"] = urlsplit(server.superuser_dsn).password or ""
        await patient.fix(await patient.see("database.migrated"))
        with psycopg.connect(server.superuser_dsn, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_connections = 32")
        server.stop()
        server.start()
        assert (await patient.see("database.connections")).status is Status.ok
        lives = [
            liveness.Liveness(server.dsn, kind="arq", timing=liveness.Timing(), slots=slots)
            for slots in (None, 3, 7)
        ]
        for each in lives:
            await each.connect()

        broken = await patient.see("database.connections")

        assert broken.status is Status.failed
        assert "3 workers with 13 attempts, 7 more for each worker" in broken.finding.required
        # what it prints for a server of the system is not ours to restart
        command, restart = broken.remedy.splitlines()
        assert restart == "sudo systemctl restart postgresql"
        patient.shell(command)
        for each in lives:
            await each.stop()
        server.stop()
        server.start()
        for each in lives:
            await each.connect()
        assert (await patient.see("database.connections")).status is Status.ok
        for each in lives:
            await each.stop()


@pytest.fixture(params=["last used", "in turns"])
def pgbouncer(patient: Patient, request: pytest.FixtureRequest) -> Iterator[str]:
    """The database behind a proxy that shares sessions."""
    turns = int(request.param == "in turns")
    with running_pgbouncer(
        patient.env["DATABASE_URL"],
        f"pool_mode = transaction\nserver_round_robin = {turns}\nmin_pool_size = 3\n",
    ) as url:
        yield url


async def test_a_proxy_that_shares_sessions_is_reported_until_it_is_bypassed(
    patient: Patient, pgbouncer: str
) -> None:
    direct = patient.env["DATABASE_URL"]
    patient.about.clear()
    (patient.root / ".env").write_text(f"USE_ARQ_WORKER=True\nDATABASE_URL={pgbouncer}\n")
    for name in ("DATABASE_URL", "USE_ARQ_WORKER"):
        del patient.env[name]

    broken = await patient.see("database.session-locks")

    assert broken.status is Status.failed
    assert "session" in broken.finding.found
    patient.env["EDITOR"] = f"sed -i s|DATABASE_URL=.*|DATABASE_URL={direct}|"
    patient.follow(broken)
    assert (await patient.see("database.session-locks")).status is Status.ok


async def test_no_advisory_lock_of_the_doctor_remains(patient: Patient, pgbouncer: str) -> None:
    change(patient, database_url=pgbouncer)
    await patient.see("database.session-locks")

    assert (
        query(
            patient,
            "SELECT * FROM pg_locks WHERE locktype = 'advisory' AND classid = %s",
            checks.LOCK_CLASS,
        )
        == []
    )


async def test_a_session_that_is_idle_in_a_transaction_is_ended_by_the_printed_command(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MAX_IDLE_SECONDS", 0)
    async with await psycopg.AsyncConnection.connect(
        patient.env["DATABASE_URL"], application_name="somebody's shell"
    ) as sitting:
        await sitting.execute("INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:1', 'A1')")

        broken = await patient.see("database.idle-in-transaction")

        assert broken.status is Status.warning
        assert "somebody's shell" in broken.finding.summary
        follow(patient, broken)
        with contextlib.suppress(psycopg.OperationalError):
            await sitting.execute("SELECT 1")
    assert (await patient.see("database.idle-in-transaction")).status is Status.ok


async def test_a_query_that_hangs_is_cancelled_and_the_others_are_answered(
    patient: Patient,
) -> None:
    with contextlib.closing(psycopg.connect(patient.env["DATABASE_URL"])) as other:
        other.execute("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")

        found = await patient.all("runs.stuck", "database.encoding", limit=scaled(4))

    assert found["runs.stuck"].finding.summary == "no answer in time"
    assert found["database.encoding"].status is Status.ok


async def test_a_database_that_cannot_hold_utf_8_is_moved_to_one_that_can(
    patient: Patient, postgres: Postgres, tmp_path: Path
) -> None:
    url = urlsplit(postgres.dsn)
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE of_old_days TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C'"
            " LC_CTYPE 'C'"
        )
    change(patient, database_url=url._replace(path="/of_old_days").geturl())
    try:
        follow(patient, await patient.see("database.migrated"))
        query(patient, "INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:1', 'A1é')")

        broken = await patient.see("database.encoding")

        assert (broken.finding.found, broken.finding.required) == ("SQL_ASCII", "UTF8")
        back_up, edit, restore = broken.remedy.splitlines()
        assert edit.startswith("${EDITOR:-vi} .env")
        patient.shell(back_up)
        change(patient, database_url=url._replace(path="/of_today").geturl())
        patient.shell(restore)
        assert (await patient.see("database.encoding")).status is Status.ok
        assert query(patient, "SELECT symbol FROM genes") == [{"symbol": "A1é"}]
    finally:
        for name in ("of_old_days", "of_today"):
            with psycopg.connect(postgres.superuser_dsn, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


async def test_pgbouncer_pools_sessions_by_default(
    patient: Patient,
) -> None:
    with running_pgbouncer(patient.env["DATABASE_URL"], "") as url:
        change(patient, database_url=url)

        found = await patient.all(*CHECKS)

    assert {name: found[name].status for name in CHECKS} == dict.fromkeys(CHECKS, Status.ok)


async def test_options_that_pgbouncer_refuses_are_named_with_the_line_that_lets_them_in(
    patient: Patient,
) -> None:
    direct = patient.env["DATABASE_URL"]
    query(patient, "ALTER SCHEMA public RENAME TO kg")
    with running_pgbouncer(direct, "") as url:
        change(patient, database_url=f"{url}?options=-csearch_path%3Dkg")

        broken = await patient.see("database.reachable")

        assert broken.status is Status.failed
        assert "PgBouncer refuses the options" in broken.finding.summary
        assert "`ignore_startup_parameters = options` in pgbouncer.ini" in broken.finding.required
    line = "ignore_startup_parameters = options\n"
    with running_pgbouncer(direct, line) as url:
        change(patient, database_url=f"{url}?options=-csearch_path%3Dkg")
        assert (await patient.see("database.reachable")).status is Status.ok

        broken = await patient.see("database.migrated")

        assert broken.status is Status.failed
        assert "the tables are in schema kg" in broken.finding.summary
        follow(patient, broken)
    with running_pgbouncer(direct, line) as url:
        change(patient, database_url=f"{url}?options=-csearch_path%3Dkg")
        assert (await patient.see("database.migrated")).status is Status.ok
