"""Starts and stops the servers, the sandbox, the API and the workers of the demo."""

import os
import secrets
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from harness import Launcher, Process
from harness.launcher import API_READY, WORKER, address
from services.postgres import running_postgres
from services.redis import running_redis

TWENTY_GENES = Path(__file__).with_name("twenty_genes.tsv")
"""A file with twenty genes that matter to the kidney."""


class Stage(Launcher):
    """The servers, the sandbox, the API and the workers. All of them are stopped at exit.

    Args:
        folder: the folder for the servers' data and the logs.
        live: whether to use the real services instead of the sandbox.
        sandbox: options of the sandbox.
    """

    def __init__(self, folder: Path, *, live: bool, sandbox: Sequence[str] = ()) -> None:
        self.token = secrets.token_urlsafe(24)
        env = os.environ | {
            "ADMIN_TOKEN": self.token,
            "USE_ARQ_WORKER": "True",
            "CACHE_DIR": str(folder / "cache"),
        }
        super().__init__(env, folder)
        self.live = live
        self._options = sandbox
        self.workers: list[Process] = []
        self.sandbox_url: str | None = None
        self.database_url = ""
        self.api_address = ""
        self._stack = ExitStack()

    def write_settings(self) -> Path:
        """Write a shell script that exports the settings. Only its owner can read it."""
        path = self.folder / "settings.sh"
        path.touch(mode=0o600)
        own = (pair for pair in sorted(self.env.items()) if os.environ.get(pair[0]) != pair[1])
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in own]
        path.write_text("".join(lines), "utf-8")
        return path

    def __enter__(self) -> Self:
        try:
            self._servers()
            self._stack.callback(self.stop)
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
        self.sandbox_url = self.sandbox_process(*self._options, "--limits", "off")
        # fetches in batches, because reading the bulk file shows no progress
        self.env["CLINVAR_BULK_THRESHOLD"] = "1000000"

    def start_api(self) -> httpx.Client:
        """Start the API, wait until it is ready, and return a client for it."""
        api = self.api_process()
        api.says(API_READY)
        self.api_address = address(api)
        return self._stack.enter_context(
            httpx.Client(
                base_url=self.api_address,
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=30,
            )
        )

    def start_worker(self) -> Process:
        """Start a worker."""
        worker = self.start(*WORKER, name=f"worker {len(self.workers) + 1}")
        self.workers.append(worker)
        return worker
