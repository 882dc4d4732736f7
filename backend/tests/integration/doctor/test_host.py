import shutil
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from app.doctor.check import Status
from tests.patient import Patient


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch, patient: Patient) -> Iterator[Callable[[str], None]]:
    """Puts this process, as the shell would, into a time zone."""

    def put(name: str) -> None:
        patient.env["TZ"] = name
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
async def test_a_server_in_another_time_zone_is_moved_by_the_command(
    patient: Patient, zone: Callable[[str], None], database_url: str
) -> None:
    zone("Etc/GMT-5")
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET timezone TO 'Etc/GMT+3'").format(name))
    # psql would ask for it
    patient.env["PGPASSWORD"] = urlsplit(database_url).password or ""
    result = await patient.see("host.zones-agree")
    assert result.status is Status.warning
    assert result.finding.summary == "PostgreSQL shows times in Etc/GMT+3, this host in Etc/GMT-5"
    patient.follow(result)
    assert (await patient.see("host.zones-agree")).status is Status.ok
