"""Executes blocks in a shell, with further terminals for long-running programs."""

import re
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from harness.timing import WAIT, scaled
from tests.integration.docs.clone import Clone
from tests.integration.docs.fences import Fence
from tests.processes import left_over

BLOCK_TIMEOUT = 150.0
"""The time limit of a block in seconds, on a quiet machine."""

READY = {
    "worker": " is alive, pid ",
    "api": "Application startup complete",
    "sandbox": "stop with Ctrl-C",
}
"""The text that a program logs when it is ready, by recipe."""

_RECIPE = re.compile(rf"\b(?:make|just) ({'|'.join(READY)})\b")

# One shell executes all blocks of a page, so that a block sees the variables of the blocks before
# it. The shell reads the names of the blocks, reports each block that succeeds, and ends at the
# first that fails.
_SHELL = """
exec 3<&0 4>&1 </dev/null
while read -r block <&3; do
    . "$block" >"$block.log" 2>&1 3<&- 4>&-
    echo >&4
done
"""

# It waits for the end of its input, which closes when the test ends in any way.
_LAST = """
cat >/dev/null
while read -r group; do kill -s KILL -- "-$group"; done <"$1"
cd "$2/backend" && exec "$3" -m services down
"""


class Session:
    """Executes the blocks of a page in a shell. All programs and servers stop at exit.

    Args:
        clone: the clone in which the commands run.
        folder: the folder of the blocks and their outputs.
        env: additions to the environment of the clone's user.
    """

    def __init__(self, clone: Clone, folder: Path, **env: str) -> None:
        self.clone = clone
        self._env = clone.env | env
        self._folder = folder
        self._folder.mkdir(exist_ok=True)
        self._terminals: dict[str, Path] = {}
        self._started: list[subprocess.Popen[bytes]] = []
        self._groups = folder / "groups"
        self._groups.touch()
        self._last = subprocess.Popen(
            ["/bin/sh", "-c", _LAST, "last", self._groups, clone.root, sys.executable],
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._shell = self._start(
            _SHELL, folder / "shell.log", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        said, _ = self._last.communicate(timeout=scaled(WAIT))
        for each in self._started:
            each.communicate(timeout=scaled(WAIT))
        if kind is None:
            assert self._last.returncode == 0, said
            assert left_over(self.clone.root.parent) == []

    def run(self, fence: Fence) -> str:
        """Run a block in the shell or in its own terminal, and return its output."""
        if fence.title.startswith("Terminal"):
            return self._in_terminal(fence)
        return self._in_shell(fence)

    def _in_shell(self, fence: Fence) -> str:
        block = self._folder / f"{_name(fence)}.sh"
        block.write_text(self.clone.here(fence.text))
        asking, told = self._shell.stdin, self._shell.stdout
        assert asking is not None
        assert told is not None
        asking.write(f"{block}\n".encode())
        if not select.select([told], [], [], scaled(BLOCK_TIMEOUT))[0]:
            self._fail(fence, "does not end", Path(f"{block}.log"))
        if not told.read(1):
            self._fail(fence, "failed", Path(f"{block}.log"))
        return Path(f"{block}.log").read_text()

    def _in_terminal(self, fence: Fence) -> str:
        log = self._folder / f"{_name(fence)}.log"
        self._terminals[f"{fence.place} {fence.title}"] = log
        process = self._start(self.clone.here(fence.text), log)
        recipe = _RECIPE.search(fence.text)
        assert recipe, f"{fence.place}: it is not known when this is at work:\n{fence.text}"
        ready = READY[recipe[1]]
        deadline = time.monotonic() + scaled(BLOCK_TIMEOUT)
        while ready not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                self._fail(fence, "does not start", log)
            time.sleep(0.05)
        if process.poll() is not None:
            self._fail(fence, "does not stay", log)
        return ready

    def _start(
        self, commands: str, log: Path, stdin: int = subprocess.DEVNULL, stdout: int | None = None
    ) -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            process = subprocess.Popen(
                ["/bin/sh", "-euc", commands],
                cwd=self.clone.root,
                env=self._env,
                stdin=stdin,
                stdout=stdout or file,
                stderr=file,
                start_new_session=True,
                bufsize=0,
            )
        self._started.append(process)
        with self._groups.open("a") as groups:
            groups.write(f"{process.pid}\n")
        return process

    def _fail(self, fence: Fence, how: str, log: Path) -> NoReturn:
        said = [f"{fence.place}: this block {how}:\n{fence.text}", log.read_text()]
        said += [f"{name}:\n{file.read_text()[-2_000:]}" for name, file in self._terminals.items()]
        raise AssertionError("\n---\n".join(said))


def _name(fence: Fence) -> str:
    return f"{Path(fence.page).stem}-{fence.line}"
