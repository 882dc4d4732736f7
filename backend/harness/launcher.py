"""Starts the project's programs with a common environment."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from harness.process import BACKEND, Process
from harness.timing import WAIT, scaled
from services.process import ServiceError

WORKER = ("arq", "app.core.arq_worker.WorkerSettings")
WORKER_READY = "is alive"
"""A worker logs this when it has acquired its lock."""

API = ("app.cli", "api", "--port", "0")
API_READY = "Application startup complete"
_ADDRESS = re.compile(r"listens on (http://\S+)")

_SANDBOX_READY = re.compile(r"^# .*stop with", re.MULTILINE)
_SETTING = re.compile(r"^([A-Z_]+)=(.*)$", re.MULTILINE)


class Launcher:
    """Starts workers, APIs, the sandbox and commands.

    Attributes:
        env: the environment of programs that are started later.
        folder: the folder of the logs.
        processes: all processes that were started.
        through: a module that starts the programs. It gets the name of the program and its
            arguments as arguments.
        place: the beginning of a command line that starts the programs elsewhere, for example in
            another network namespace.
    """

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.env = env
        self.folder = folder
        self.processes: list[Process] = []
        self.through: tuple[str, ...] = ()
        self.place: tuple[str, ...] = ()
        self._database: psycopg.Connection[dict[str, Any]] | None = None
        self._address = ""

    def start(self, *arguments: str, name: str = "", **env: str) -> Process:
        """Start a module with arguments, and with `env` in addition to the environment."""
        name = name or arguments[0]
        file = f"{len(self.processes) + 1} {name}.log".replace(" ", "-")
        process = self._begin(name, arguments, self.env | env, self.folder / file)
        self.processes.append(process)
        return process

    def _begin(
        self, name: str, arguments: tuple[str, ...], env: dict[str, str], log: Path
    ) -> Process:
        command = [*self.place, sys.executable, "-m", *self.through, *arguments]
        return Process(name, command, env=env, log=log)

    def worker(self, **env: str) -> Process:
        """Start a worker, which logs `WORKER_READY` when it is ready."""
        return self.start(*WORKER, name="a worker", **env)

    def api_process(self, **env: str) -> Process:
        """Start the API on a free port. It logs `API_READY` when it is ready."""
        return self.start(*API, name="the API", **env)

    def sandbox_process(self, *arguments: str) -> str:
        """Start the sandbox, set its addresses in the environment, and return its address.

        Raises:
            ServiceError: the sandbox does not start. The message contains the end of its log.
        """
        process = self.start("sandbox", *arguments, name="the sandbox")
        process.until(lambda: _SANDBOX_READY.search(process.logged()))
        self.env |= dict(_SETTING.findall(process.logged()))
        return self.env["HGNC_REST_URL"].removesuffix("/hgnc")

    def cli(
        self, *arguments: str, seconds: float | None = WAIT
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line, and return its result even if it failed.

        Raises:
            TimeoutExpired: the command took longer than `seconds`, scaled to this machine.
        """
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", *self.through, "app.cli", *arguments],
            cwd=BACKEND,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=None if seconds is None else scaled(seconds),
        )

    def output(self, *arguments: str) -> str:
        """Run a command of the command line without a timeout, and return its output.

        Raises:
            ServiceError: the command failed. The message contains its error output.
        """
        done = self.cli(*arguments, seconds=None)
        if done.returncode:
            raise ServiceError(f"{' '.join(arguments)}:\n{done.stderr}")
        return done.stdout

    def annotate(self, *arguments: str) -> int:
        """Request a run with the command line, and return its id.

        Raises:
            ServiceError: the command failed. The message contains its error output.
        """
        run_id: int = json.loads(self.output("annotate", "--json", *arguments))["id"]
        return run_id

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Execute a statement in the database and return its rows, if any."""
        try:
            return self._execute(query, values)
        except psycopg.OperationalError:
            # the server may have been restarted since the last statement
            self._disconnect()
            return self._execute(query, values)

    def stop(self) -> None:
        """Stop all processes with SIGTERM, the last one first."""
        self._disconnect()
        for process in reversed(self.processes):
            process.stop()

    def end(self) -> None:
        """End all processes with SIGKILL."""
        self._disconnect()
        for process in self.processes:
            process.end()

    def _execute(self, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        address = self.env["DATABASE_URL"]
        if self._database is None or self._address != address:
            self._disconnect()
            # One connection for all statements, because tests poll up to fifty times a second.
            # Statements are not prepared, because a migration may change the type of a result.
            self._database = psycopg.connect(
                address, autocommit=True, row_factory=dict_row, prepare_threshold=None
            )
            self._address = address
        cursor = self._database.execute(query, values)
        return cursor.fetchall() if cursor.description else []

    def _disconnect(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None


def address(api: Process) -> str:
    """Return the address of an API, from its log.

    Raises:
        ServiceError: the log does not contain the address.
    """
    found = _ADDRESS.search(api.logged())
    if found is None:
        raise ServiceError(f"{api.name} does not log its address:\n{api.logged()}")
    return found[1]
