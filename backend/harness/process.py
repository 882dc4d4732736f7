"""A program of the project, with its log."""

import contextlib
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import psutil

from harness.timing import WAIT, scaled
from harness.waiting import until
from services.process import Guardian, ServiceError, tail

BACKEND = Path(__file__).resolve().parents[1]
STOP_SECONDS = 12.0


class Process(subprocess.Popen[bytes]):
    """A running program. It ends when this process ends for any reason.

    Attributes:
        name: the name in messages.
        log: the file with its output.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as file:
            self._begin(command, env, file)
        self._guardian = Guardian(self.pid, signal.SIGKILL)

    def _begin(self, command: Sequence[str], env: Mapping[str, str], file: BinaryIO) -> None:
        super().__init__(
            command,
            cwd=BACKEND,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            # Ctrl-C must reach only the parent process, which then stops its programs
            start_new_session=True,
        )

    def logged(self) -> str:
        """Return the program's output so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, ready: Callable[[], object], *, seconds: float = WAIT) -> None:
        """Wait until the program is ready.

        Raises:
            ServiceError: the program ended or was not ready in time. The message contains the end
                of its log.
        """

        def ready_or_ended() -> bool:
            return bool(ready()) or self.poll() is not None

        with contextlib.suppress(TimeoutError):
            until(ready_or_ended, seconds=seconds)
        if not ready():
            raise ServiceError(f"{self.name} does not start:\n{tail(self.log, 15)}")

    def says(self, words: str) -> None:
        """Wait until the log contains these words.

        Raises:
            ServiceError: the program ended or did not log them in time. The message contains the
                end of its log.
        """
        self.until(lambda: words in self.logged())

    def stop(self) -> None:
        """End the program with SIGTERM, or with SIGKILL if it does not end in time."""
        self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(scaled(STOP_SECONDS))
        self.end()

    def end(self) -> None:
        """End the program and its children with SIGKILL, and wait until it has ended."""
        if self.poll() is None:
            # with --reload, uvicorn serves from a child process, which would keep running
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(self.pid).children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()
            self.kill()
        self.wait()
        self._guardian.dismiss()
