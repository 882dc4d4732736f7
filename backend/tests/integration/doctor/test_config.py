import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app.annotation.settings import load_settings
from app.doctor.check import Status
from services.postgres import Postgres
from tests.patient import Patient


@pytest.fixture
def address(postgres: Postgres) -> Iterator[str]:
    """The address of a role whose password came with an example."""
    role = f"kidney_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as connection:
        create = "CREATE ROLE {} LOGIN PASSWORD 'changeme'"
        connection.execute(sql.SQL(create).format(sql.Identifier(role)))
        server = conninfo_to_dict(postgres.superuser_dsn)
        yield f"postgresql://{role}:changeme@{server['host']}:{server['port']}/{server['dbname']}"
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
async def test_a_placeholder_password_is_changed_in_the_server_and_in_the_file(
    address: str, tmp_path: Path
) -> None:
    env = tmp_path / ".env"
    env.write_text(f"DATABASE_URL={address}\n")
    patient = Patient(tmp_path)
    result = await patient.see("config.placeholders")
    assert result.status is Status.failed
    assert "changeme" not in str(result.finding)
    patient.follow(result)
    assert (await patient.see("config.placeholders")).status is Status.ok
    changed = load_settings(env).database_url.get_secret_value()
    assert len(str(conninfo_to_dict(changed)["password"])) == 64
    psycopg.connect(changed).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)
