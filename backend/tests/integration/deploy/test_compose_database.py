"""Compose's PostgreSQL: what it does when it has made an empty database, and its backup."""

import asyncio
import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml

from app.core.postgres.migration import upgrade
from app.db.engine import create_engine
from services.binaries import postgres_folder
from services.postgres import Postgres
from tests.conftest import REPOSITORY

COMPOSE = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())


@pytest.fixture
def server(tmp_path: Path):
    server = Postgres(tmp_path / "server", user="somebody", database="somebody", fsync=False)
    server.start()
    yield server
    server.stop("immediate")


async def test_the_projects_role_owns_its_database_and_is_no_superuser(server: Postgres) -> None:
    given = COMPOSE["services"]["db"]["environment"]
    url = urlsplit(COMPOSE["services"]["api"]["environment"]["DATABASE_URL"].split("$")[0] + "x@db")
    superuser = urlsplit(server.superuser_dsn)
    with psycopg.connect(server.superuser_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {given['POSTGRES_DB']}".encode())
    password = "a'b\\c\"d"
    env = os.environ | {
        "PATH": f"{postgres_folder()}:{os.environ['PATH']}",
        "POSTGRES_USER": superuser.username or "",
        "POSTGRES_DB": given["POSTGRES_DB"],
        "POSTGRES_PASSWORD": password,
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGPASSWORD": superuser.password or "",
    }
    script = REPOSITORY / "deploy" / "postgres" / "init.sh"
    assert script.stat().st_mode & 0o111 == 0o111
    process = await asyncio.create_subprocess_exec(script, env=env)
    assert await process.wait() == 0

    dsn = psycopg.conninfo.make_conninfo(
        "",
        host="127.0.0.1",
        port=server.port,
        user=url.username,
        password=password,
        dbname=given["POSTGRES_DB"],
    )
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert found == (False, False, False)
    db = create_engine(dsn, session="test")
    await upgrade(db)
    await db.dispose()
    # nobody gets in over the network as the superuser
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.superuser_dsn)


def test_the_superuser_is_not_the_role_that_the_project_is_given() -> None:
    superuser = COMPOSE["services"]["db"]["environment"]["POSTGRES_USER"]
    for service in ("migrate", "api", "arq-worker"):
        url = COMPOSE["services"][service]["environment"]["DATABASE_URL"]
        assert not url.startswith(f"postgresql://{superuser}:")


def test_a_backup_that_the_shell_writes_is_kept_from_others(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "how-to" / "back-up.md").read_text()
    [command] = [line for line in page.splitlines() if "pg_dump" in line and ">" in line]
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho dumped\n")
    docker.chmod(0o755)

    def run() -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            ["sh", "-c", f"umask 022; {command}"],
            cwd=tmp_path,
            env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            check=False,
        )

    assert run().returncode == 0
    file = tmp_path / "genes.dump"
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("dumped\n", 0o600)
    file.write_text("an older one")
    file.chmod(0o644)
    assert run().returncode != 0
    assert file.read_text() == "an older one"
