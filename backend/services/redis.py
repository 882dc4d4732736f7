"""A Redis server for development and tests, on the loopback address."""

import re
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import redis

from services import process
from services.binaries import redis_program
from services.process import LOOPBACK, Guardian, ServiceError

_PROCESS_NAMES = frozenset({"redis-server", "valkey-server"})

# `dir` is the working folder, so that no path needs quoting
_CONFIGURATION = """\
bind {host}
port {port}
dir .
daemonize no
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


class Redis:
    """A Redis server with its data in `folder`. It writes an append-only file and evicts no keys.

    Attributes:
        folder: contains the data, the configuration and the log.
        port: where it listens, on 127.0.0.1 only. A restart keeps the port.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, password: str | None = None
    ) -> None:
        """Describe a server, without starting it.

        Args:
            folder: created if it does not exist.
            port: where it listens; a free port if omitted.
            password: the empty string means no password; generated once for each folder if omitted.
                Redis needs one because its clients can make it write files with the permissions of
                its user (CONFIG SET dir).
        """
        self.folder = folder.resolve()
        self.port = port if port is not None else process.free_port()
        self._password = password
        self._guardian: Guardian | None = None

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "server.log"

    @property
    def url(self) -> str:
        """The server's address: `redis://:password@127.0.0.1:port/0`."""
        password = self._secret()
        login = f":{quote(password, safe='')}@" if password else ""
        return f"redis://{login}{LOOPBACK}:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """The server's pid, or None when it is not running."""
        found = self._processes()
        return found[0].pid if found else None

    def start(self, *, tied: bool = True) -> None:
        """Start the server and wait until it answers; a second call does nothing.

        Args:
            tied: end the server when this process dies.

        Raises:
            ServiceError: the server did not start; the message ends with its log.
        """
        process.await_true(lambda: self.answers() or not self._processes(), process.START_SECONDS)
        if self.answers():
            return
        if self._processes():
            raise ServiceError(
                f"Redis (pid {self.pid}) does not answer on port {self.port}; see {self.log}"
            )
        program = redis_program()
        self._configure()
        server = process.spawn([str(program), "redis.conf"], cwd=self.folder, log=self.log)
        if tied:
            self._guardian = Guardian(server.pid, signal.SIGTERM)
        process.await_true(
            lambda: server.poll() is not None or self.answers(), process.START_SECONDS
        )
        if not self.answers():
            self.kill()
            raise ServiceError(
                f"Redis did not start on port {self.port}; {self.log} ends:"
                f"\n{process.tail(self.log)}"
            )

    def stop(self) -> None:
        """Stop the server after it has written all data to disk, and wait until it has ended.

        Raises:
            ServiceError: the server still runs after a minute.
        """
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the server and wait until it has ended."""
        self._end(signal.SIGKILL)

    def answers(self) -> bool:
        """Return whether the server is running, has loaded its data and accepts a connection."""
        if not self._processes():
            return False
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    @staticmethod
    def port_in_use(folder: Path) -> int | None:
        """Return the port of the server that is running on this folder, or None."""
        if not process.find(folder, _PROCESS_NAMES):
            return None
        port = re.search(r"^port (\d+)$", (folder / "redis.conf").read_text(), re.MULTILINE)
        return int(port[1]) if port else None

    def _configure(self) -> None:
        """Write the configuration file, as other users could read a password on a command line."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        text = _CONFIGURATION.format(host=LOOPBACK, port=self.port)
        if password := self._secret():
            quoted = password.replace("\\", "\\\\").replace('"', '\\"')
            text += f'requirepass "{quoted}"\n'
        path = self.folder / "redis.conf"
        path.touch(0o600)
        path.write_text(text)

    def _secret(self) -> str:
        if self._password is not None:
            return self._password
        path = self.folder / "password"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.touch(0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text()

    def _processes(self) -> list[psutil.Process]:
        return process.find(self.folder, _PROCESS_NAMES)

    def _end(self, signum: signal.Signals) -> None:
        if self._guardian is not None:
            self._guardian.dismiss()
            self._guardian = None
        found = self._processes()
        for server in found:
            process.send(server, signum)
        if not process.await_true(lambda: not self._processes(), process.STOP_SECONDS):
            raise ServiceError(f"Redis (pid {self.pid}) does not stop; see {self.log}")
        process.reap(found)


@contextmanager
def running_redis(folder: Path) -> Iterator[Redis]:
    """Run a Redis server until the end of the block or of this process.

    `.url` is its address. Tests of recovery use `.stop()`, `.kill()` and `.start()`, which keep the
    port.
    """
    server = Redis(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
