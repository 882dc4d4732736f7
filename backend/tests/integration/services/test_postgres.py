import os
import signal
import subprocess
import sys

import psutil
import psycopg
import pytest

from harness.timing import WAIT, scaled
from services import Postgres, running_postgres
from services.process import ServiceError
from tests.clusters import initialised


@pytest.fixture(scope="module", autouse=True)
def _initialised():
    with initialised():
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_postgres(tmp_path_factory.mktemp("a folder with spaces") / "postgres") as server:
        yield server


def test_the_projects_role_owns_its_database_and_is_no_superuser(server):
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE t (x int)")
        connection.rollback()
        role = connection.execute(
            "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert role == (False, True)


def test_a_client_without_the_password_is_refused(server):
    address, _, password = server.dsn.rpartition("@")[0].rpartition(":")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.dsn.replace(f"{address}:{password}", f"{address}:wrong"))


def test_only_the_owner_can_read_the_password_file(server):
    assert (server.folder / "password").stat().st_mode & 0o077 == 0


def test_the_server_listens_on_the_loopback_address_only(server):
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(server.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


@pytest.mark.parametrize("how", ["fast", "immediate", "kill"])
def test_committed_rows_and_the_address_survive_every_way_to_stop(server, how):
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept AS SELECT 1 AS x")
    dsn = server.dsn

    server.kill() if how == "kill" else server.stop(how)
    assert server.pid is None
    assert not server.answers()
    server.start()

    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT x FROM kept").fetchone() == (1,)


def test_the_server_starts_when_the_pid_in_its_pid_file_belongs_to_another_program(server):
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n1\n\n\n\n")
    server.start()
    assert server.answers()


def test_a_second_start_does_nothing(server):
    pid = server.pid
    server.start()
    assert server.pid == pid


def test_the_error_for_a_port_in_use_contains_the_end_of_the_log(server, tmp_path):
    other = Postgres(tmp_path / "other", port=server.port, fsync=False)
    with pytest.raises(ServiceError, match=rf"did not start on port {server.port}.*\n.*"):
        other.start()
    assert other.pid is None


def test_data_of_a_version_that_is_not_installed_is_not_touched(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServiceError, match="PostgreSQL 9"):
        Postgres(tmp_path).start()


def test_the_server_ends_with_the_process_that_started_it(tmp_path):
    script = (
        "import pathlib, sys, time; from services import running_postgres\n"
        "with running_postgres(pathlib.Path(sys.argv[1])) as server:\n"
        "    print(server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "postgres"], stdout=subprocess.PIPE, text=True
    ) as starter:
        server = psutil.Process(int(starter.stdout.readline()))
        starter.send_signal(signal.SIGKILL)
    gone, _ = psutil.wait_procs([server], timeout=scaled(WAIT))
    assert gone
