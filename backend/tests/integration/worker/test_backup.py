"""A backup is taken while runs are active, and the runs continue where it is restored."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import psycopg
import pytest
import redis

from app.db.engine import psycopg_url
from services.binaries import postgres_folder
from services.postgres import running_postgres
from tests.plant import Plant


@pytest.fixture
def stocked(few_genes: Plant) -> Plant:
    """A database with genes. The PostgreSQL programs of the wheel come last on the PATH."""
    few_genes.env["PATH"] = f"{os.environ['PATH']}:{postgres_folder()}"
    return few_genes


def other_database(server_dsn: str, name: str) -> str:
    url = psycopg_url(server_dsn).set(drivername="postgresql", database=name)
    return url.render_as_string(hide_password=False)


@pytest.mark.reliability
@pytest.mark.timeout(180)
async def test_active_runs_continue_on_the_server_where_a_backup_is_restored(
    stocked: Plant, tmp_path: Path
) -> None:
    worker = stocked.worker(NCBI_RATE="2")
    assert stocked.cli("annotate").returncode == 0
    await stocked.until(lambda r: r["state"] == "running" and r["done"] > 120)
    file = tmp_path / "a backup.dump"
    done = stocked.cli("backup", str(file))
    assert (done.returncode, done.stdout) == (0, f"{file}\n"), done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert (await stocked.until(lambda _: True))["state"] == "running"
    worker.kill()
    worker.wait()
    # the worker was killed before it began ClinVar, so it has sent no request there
    asked = stocked.sandbox.stats()["requests"].get("clinvar.esearch", 0)
    with redis.Redis.from_url(stocked.env["REDIS_URL"]) as client:
        client.flushall()
    with running_postgres(tmp_path / "new server") as server:
        stocked.env["DATABASE_URL"] = other_database(server.dsn, "born_anew")
        done = stocked.cli("restore", str(file))
        assert done.returncode == 0, done.stderr
        assert "restored 120 genes" in done.stdout
        assert "1 active runs continue" in done.stdout
        kept = stocked.rows("SELECT count(*) AS n FROM annotations")[0]["n"]
        assert 120 < kept < 360
        stocked.worker(NCBI_RATE="100")
        run = await stocked.ended()
        assert (run["state"], run["attempts"], run["losses"]) == ("succeeded", 1, 1)
        assert stocked.rows("SELECT count(*) AS n FROM annotations") == [{"n": 360}]
        # nothing that the backup contains is requested again
        assert stocked.sandbox.stats()["requests"]["clinvar.esearch"] - asked <= 360 - kept
        stocked.end()


def test_a_restore_into_a_database_with_tables_is_refused(stocked: Plant, tmp_path: Path) -> None:
    file = tmp_path / "one.dump"
    assert stocked.cli("backup", str(file)).returncode == 0
    before = stocked.rows("SELECT count(*) AS n FROM genes")
    done = stocked.cli("restore", str(file))
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert stocked.rows("SELECT count(*) AS n FROM genes") == before
    again = stocked.cli("backup", str(file))
    assert again.returncode == 1
    assert "already exists" in again.stderr


def test_a_backup_is_readable_by_its_owner_only(stocked: Plant, tmp_path: Path) -> None:
    file = tmp_path / "one.dump"
    left_behind = tmp_path / "one.dump.partial"
    left_behind.touch()
    left_behind.chmod(0o666)
    done = stocked.cli("backup", str(file))
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert left_behind.read_bytes() == b""
    assert sorted(each.name for each in tmp_path.glob("one*")) == ["one.dump", "one.dump.partial"]


def test_a_backup_contains_one_schema_and_is_restored_into_the_same(
    stocked: Plant, tmp_path: Path, empty_database_url: str
) -> None:
    """Another installation has its tables in the schema `public` of the same database."""
    public = stocked.env["DATABASE_URL"]
    options = "?options=-csearch_path%3Dkg"
    with psycopg.connect(public) as connection:
        connection.execute("CREATE SCHEMA kg")
    stocked.env["DATABASE_URL"] = public + options
    assert "schema kg" in stocked.cli("migrate").stderr
    stocked.rows("INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:1', 'KG1')")
    file = tmp_path / "kg.dump"
    assert stocked.cli("backup", str(file)).returncode == 0

    stocked.env["DATABASE_URL"] = empty_database_url
    refused = stocked.cli("restore", str(file))
    assert refused.returncode == 1
    assert (
        "the backup is of schema kg, but the search_path leads to schema public" in refused.stderr
    )
    assert options in refused.stderr

    stocked.env["DATABASE_URL"] = other_database(empty_database_url, "made_by_restore") + options
    done = stocked.cli("restore", str(file))
    assert done.returncode == 0, done.stderr
    assert "restored 1 genes" in done.stdout
    found = stocked.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'genes'")
    assert found == [{"schemaname": "kg"}]
    again = stocked.cli("restore", str(file))
    assert (again.returncode, "is not empty" in again.stderr) == (1, True)
    with psycopg.connect(public, autocommit=True) as connection:
        connection.execute("DROP DATABASE made_by_restore WITH (FORCE)")


def test_a_file_that_is_not_a_backup_is_refused_and_changes_nothing(
    stocked: Plant, tmp_path: Path, empty_database_url: str
) -> None:
    (tmp_path / "notes.txt").write_text("no dump")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE other (id int)")
    stranger = tmp_path / "stranger.dump"
    subprocess.run(
        [postgres_folder() / "pg_dump", "-Fc", "-f", stranger, empty_database_url], check=True
    )
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("DROP TABLE other")
    stocked.env["DATABASE_URL"] = empty_database_url
    for name, why in (
        ("notes.txt", "is not a backup of this project"),
        ("stranger.dump", "is not a backup of this project"),
        ("nowhere.dump", "there is no file"),
    ):
        done = stocked.cli("restore", str(tmp_path / name))
        assert (done.returncode, why in done.stderr) == (1, True), done.stderr
        assert "Traceback" not in done.stderr
    assert stocked.rows("SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public'") == [
        {"n": 0}
    ]
    missing = other_database(empty_database_url, "never_made")
    stocked.env["DATABASE_URL"] = missing
    assert stocked.cli("restore", str(stranger)).returncode == 1
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(missing)


def test_without_a_program_for_the_server_the_error_names_the_package(
    stocked: Plant, tmp_path: Path
) -> None:
    old = tmp_path / "bin" / "pg_dump"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    old.chmod(0o755)
    stocked.env["PATH"] = str(old.parent)
    done = stocked.cli("backup", str(tmp_path / "x.dump"))
    assert done.returncode == 1
    assert "apt install postgresql-client-" in done.stderr
    assert list(tmp_path.glob("x.dump*")) == []


def test_a_backup_can_be_taken_where_only_pg_dump_is_installed(
    stocked: Plant, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "pg_dump"
    program.parent.mkdir()
    real = shlex.quote(f"{postgres_folder()}/pg_dump")
    program.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    program.chmod(0o755)
    stocked.env["PATH"] = str(program.parent)
    done = stocked.cli("backup", str(tmp_path / "x.dump"))
    assert done.returncode == 0, done.stderr


def test_no_command_line_and_no_message_has_a_password(stocked: Plant, tmp_path: Path) -> None:
    spy = tmp_path / "bin" / "pg_dump"
    spy.parent.mkdir()
    real = shlex.quote(f"{postgres_folder()}/pg_dump")
    spy.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = --version ] && exec {real} --version\n'
        f'echo "$@" > {shlex.quote(str(tmp_path))}/said; exec {real} --no-such-option\n'
    )
    spy.chmod(0o755)
    stocked.env["PATH"] = f"{spy.parent}:{stocked.env['PATH']}"
    done = stocked.cli("backup", str(tmp_path / "x.dump"))
    assert done.returncode == 1
    assert "pg_dump failed" in done.stderr
    password = psycopg.conninfo.conninfo_to_dict(stocked.env["DATABASE_URL"]).get("password")
    said = (tmp_path / "said").read_text()
    assert "postgres" not in said
    assert password is None or str(password) not in said + json.dumps(done.stderr)
