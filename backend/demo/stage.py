"""Starts and stops the servers, the sandbox, the API and the workers of the demo."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import click
import httpx

from services.postgres import running_postgres
from services.process import Guardian, free_port, tail
from services.redis import running_redis

BACKEND = Path(__file__).resolve().parents[1]
STOP_SECONDS = 12.0


class Process:
    """A program that logs to a file and ends when the demo ends, whatever the reason."""

    def __init__(
        self, name: str, *arguments: str, env: dict[str, str], log: Path, stdout: bool = False
    ) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as file:
            self.popen = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, "-m", *arguments],
                cwd=BACKEND,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if stdout else file,
                stderr=file,
                # Ctrl-C reaches only the demo, which then stops its programs in order
                start_new_session=True,
            )
        self._guardian = Guardian(self.popen.pid, signal.SIGKILL)

    @property
    def stdout(self) -> IO[bytes]:
        """The output of the program; only when it was started with `stdout=True`."""
        assert self.popen.stdout is not None
        return self.popen.stdout

    def until(self, ready: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until the program is ready.

        Raises:
            ClickException: the program has ended or is not ready in time. The message contains the
                end of its log.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise click.ClickException(f"{self.name} does not start:\n{tail(self.log, 15)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the program with SIGTERM, or with SIGKILL if it does not end in time."""
        self.popen.terminate()
        try:
            self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        if self.popen.stdout is not None:
            self.popen.stdout.close()
        self._guardian.dismiss()


class Stage:
    """The servers, the sandbox, the API and the workers. All of them are stopped at exit.

    Args:
        folder: for the servers' data and the logs.
        live: ask the real services, without a sandbox.
        genes: the number of genes in the sandbox.
    """

    def __init__(self, folder: Path, *, live: bool, genes: int) -> None:
        self.folder = folder
        self.live = live
        self.genes = genes
        self.port = free_port()
        self.token = secrets.token_urlsafe(24)
        self.env = os.environ | {
            "ADMIN_TOKEN": self.token,
            "USE_ARQ_WORKER": "True",
            "CACHE_DIR": str(folder / "cache"),
        }
        self.workers: list[Process] = []
        self.sandbox_url: str | None = None
        self.database_url = ""
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._servers()
            if not self.live:
                self._sandbox()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _servers(self) -> None:
        postgres = self._stack.enter_context(running_postgres(self.folder / "postgres"))
        redis = self._stack.enter_context(running_redis(self.folder / "redis"))
        self.database_url = postgres.dsn
        self.env |= {"DATABASE_URL": postgres.dsn, "REDIS_URL": redis.url}

    def _sandbox(self) -> None:
        sandbox = self._start(
            "the sandbox", "sandbox", "--genes", str(self.genes), "--limits", "off", stdout=True
        )
        for line in sandbox.stdout:
            text = line.decode().strip()
            if text.startswith("#"):
                break
            name, _, value = text.partition("=")
            self.env[name] = value
        else:
            sandbox.until(lambda: False, seconds=0)
        self.sandbox_url = self.env["NCBI_EUTILS_URL"].removesuffix("/eutils")
        # by API, in batches: the bulk file is read at once, which leaves nothing to watch
        self.env["CLINVAR_BULK_THRESHOLD"] = "1000000"

    def _start(self, name: str, *arguments: str, stdout: bool = False) -> Process:
        log = self.folder / f"{name.removeprefix('the ').replace(' ', '-')}.log"
        process = Process(name, *arguments, env=self.env, log=log, stdout=stdout)
        self._stack.callback(process.stop)
        return process

    def cli(self, *arguments: str) -> None:
        """Run a command of the project's command line, as an operator does.

        Raises:
            ClickException: the command failed. The message contains its output.
        """
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=BACKEND,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise click.ClickException(f"{' '.join(arguments)}:\n{done.stderr}")

    def start_api(self) -> httpx.Client:
        """Start the API, wait until it is ready, and return a client for it."""
        api = self._start("the API", "app.cli", "api", "--port", str(self.port))
        client = self._stack.enter_context(
            httpx.Client(
                base_url=f"http://127.0.0.1:{self.port}",
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=30,
            )
        )

        def ready() -> bool:
            try:
                return client.get("/health/ready").is_success
            except httpx.TransportError:
                return False

        api.until(ready)
        return client

    def start_worker(self) -> Process:
        """Start an arq worker."""
        name = f"worker {len(self.workers) + 1}"
        worker = self._start(name, "arq", "app.core.arq_worker.WorkerSettings")
        self.workers.append(worker)
        return worker
