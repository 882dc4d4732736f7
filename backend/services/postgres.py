"""A PostgreSQL server for development and tests, on the loopback address."""

import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from services import process
from services.binaries import postgres_folder
from services.privileges import Account, account_for
from services.process import LOOPBACK, Guardian, ServiceError

NAME = "kidney_genetics"
# not `postgres`, because a DATABASE_URL may name that role with another password
_SUPERUSER = "cluster_owner"
_PROCESS_NAMES = frozenset({"postgres"})

# The first two settings protect against a crash of the machine, which would end a test anyway.
# synchronous_commit stays on: without it, a crash of the server alone loses commits.
# The third one slows down password guessing, but also each connection: by half, as measured.
_FOR_A_TEST = {"fsync": "off", "full_page_writes": "off", "scram_iterations": "1"}


class Postgres:
    """A PostgreSQL server with its data in `folder`.

    Attributes:
        folder: contains the data folder, the superuser's password and the log.
        port: where it listens, on 127.0.0.1 only. A restart keeps the port.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        user: str = NAME,
        password: str | None = None,
        database: str = NAME,
        fsync: bool = True,
    ) -> None:
        """Describe a server with its own role and database, without starting it.

        Args:
            folder: created if it does not exist.
            port: where it listens; a free port if omitted.
            user: the role of the project, which may create databases and is not a superuser.
            password: the password of that role; generated once for each folder if omitted.
            database: created if it does not exist.
            fsync: False is faster, for tests: a crash of the machine loses data, and passwords are
                easier to guess.
        """
        self.folder = folder.resolve()
        self.port = port if port is not None else process.free_port()
        self._may_move = port is None
        self._user, self._password, self._database = user, password, database
        self._fsync = fsync
        self._guardian: Guardian | None = None

    @property
    def data(self) -> Path:
        """The data folder (PGDATA)."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "server.log"

    @property
    def dsn(self) -> str:
        """The project's address: `postgresql://role:password@127.0.0.1:port/database`."""
        return self._url(self._user, self._password or self._generated(), self._database)

    @property
    def superuser_dsn(self) -> str:
        """The superuser's address, for statements that the project's role may not execute."""
        return self._url(_SUPERUSER, self._generated(), "postgres")

    @property
    def pid(self) -> int | None:
        """The postmaster's pid, or None when the server is not running."""
        found = self._processes()
        return found[0].pid if found else None

    def start(self, *, tied: bool = True) -> None:
        """Start the server and wait until it answers; a second call does nothing.

        Args:
            tied: end the server when this process dies.

        Raises:
            ServiceError: the server did not start; the message ends with its log.
        """
        # processes that do not answer belong to a server that is starting or was killed
        process.await_true(lambda: self.answers() or not self._processes(), process.START_SECONDS)
        if not self.answers():
            if self._processes():
                raise ServiceError(
                    f"PostgreSQL (pid {self.pid}) does not answer on port {self.port};"
                    f" see {self.log}"
                )
            self._launch(tied=tied)
        self._may_move = False
        self._ensure_role_and_database()

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, if it runs, and wait until its processes have ended.

        Args:
            mode: `fast` ends the sessions and writes all data to disk. `immediate` does not, so the
                next start has to recover from the write-ahead log.

        Raises:
            ServiceError: the server still runs after a minute.
        """
        self._end({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])

    def kill(self) -> None:
        """Send SIGKILL to the postmaster and wait until its children have ended too."""
        self._end(signal.SIGKILL)

    def answers(self) -> bool:
        """Return whether the server is running and accepts a connection of the superuser."""
        if not self._processes():
            return False
        try:
            psycopg.connect(self.superuser_dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @staticmethod
    def port_in_use(folder: Path) -> int | None:
        """Return the port of the server that is running on this folder, or None."""
        data = folder.resolve() / "data"
        if not process.find(data, _PROCESS_NAMES):
            return None
        # https://www.postgresql.org/docs/18/storage-file-layout.html: the fourth line is the port
        return int((data / "postmaster.pid").read_text().splitlines()[3])

    def _url(self, user: str, password: str, database: str) -> str:
        role = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{role}@{LOOPBACK}:{self.port}/{quote(database, safe='')}"

    def _generated(self) -> str:
        return (self.folder / "password").read_text()

    def _data_version(self) -> int | None:
        path = self.data / "PG_VERSION"
        return int(path.read_text()) if path.exists() else None

    def _processes(self) -> list[psutil.Process]:
        return process.find(self.data, _PROCESS_NAMES)

    def _launch(self, *, tied: bool) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        programs = postgres_folder(self._data_version())
        account = account_for(self.folder, programs)
        account.own(self.folder)
        self.folder.chmod(0o700)
        if self._data_version() is None:
            self._initdb(programs, account)
        # if the pid in this file belongs to another program by now, PostgreSQL does not start
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        # no Unix socket: its path may have 107 characters at most, and a checkout's can be longer
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
        }
        if not self._fsync:
            settings |= _FOR_A_TEST
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [*account.prefix, str(programs / "postgres"), "-D", str(self.data), *options]
        server = process.spawn(command, cwd=self.folder, log=self.log)
        if tied:
            self._guardian = Guardian(server.pid, signal.SIGQUIT)
        process.await_true(
            lambda: server.poll() is not None or self.answers(), process.START_SECONDS
        )
        if not self.answers():
            self.kill()
            # another program may have taken the port during `initdb`
            if self._may_move and "already in use" in process.tail(self.log):
                self.port, self._may_move = process.free_port(), False
                self._launch(tied=tied)
                return
            raise ServiceError(
                f"PostgreSQL did not start on port {self.port}; {self.log} ends:"
                f"\n{process.tail(self.log)}"
            )

    def _initdb(self, programs: Path, account: Account) -> None:
        password = self.folder / "password"
        password.touch(0o600)
        password.write_text(secrets.token_urlsafe(24))
        account.own(password)
        made = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [
                *account.prefix,
                str(programs / "initdb"),
                f"--pgdata={self.data}",
                f"--username={_SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                *([] if self._fsync else ["--no-sync"]),
            ],
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise ServiceError(f"initdb could not create {self.data}:\n{made.stderr.strip()}")

    def _end(self, signum: signal.Signals) -> None:
        if self._guardian is not None:
            self._guardian.dismiss()
            self._guardian = None
        found = self._processes()
        if found:
            process.send(found[0], signum)
        if not process.await_true(lambda: not self._processes(), process.STOP_SECONDS):
            raise ServiceError(f"PostgreSQL (pid {self.pid}) does not stop; see {self.log}")
        process.reap(found)

    def _ensure_role_and_database(self) -> None:
        role, database = sql.Identifier(self._user), sql.Identifier(self._database)
        password = sql.Literal(self._password or self._generated())
        with psycopg.connect(self.superuser_dsn, autocommit=True) as connection:

            def exists(query: sql.SQL, name: str) -> bool:
                return connection.execute(query, [name]).fetchone() is not None

            known = exists(sql.SQL("SELECT 1 FROM pg_roles WHERE rolname = %s"), self._user)
            connection.execute(
                sql.SQL("{} ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                    sql.SQL("ALTER" if known else "CREATE"), role, password
                )
            )
            if not exists(sql.SQL("SELECT 1 FROM pg_database WHERE datname = %s"), self._database):
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))


@contextmanager
def running_postgres(folder: Path, *, fsync: bool = False) -> Iterator[Postgres]:
    """Run a PostgreSQL server until the end of the block or of this process.

    `.dsn` is its address. Tests of recovery use `.stop()`, `.kill()` and `.start()`, which keep the
    port.
    """
    server = Postgres(folder, fsync=fsync)
    try:
        server.start()
        yield server
    finally:
        server.stop("immediate")
