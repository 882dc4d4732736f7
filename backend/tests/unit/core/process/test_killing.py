import asyncio
import logging
import sys
from pathlib import Path

import pytest

from app.core.process.killing import kill


def has_ended(pid: int) -> bool:
    """Whether a process is dead, whether or not somebody has taken its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")
async def test_a_process_that_has_just_ended_keeps_its_status(
    caplog: pytest.LogCaptureFixture,
) -> None:
    program = "import sys; sys.exit(7)"
    for _ in range(10):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        # asyncio is told nothing meanwhile
        while not has_ended(process.pid):
            pass
        kill(process)
        assert await process.wait() == 7
    assert [each.message for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_process_that_does_not_stop_is_killed() -> None:
    program = "import sys; sys.stdin.read()"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=pipe)
    kill(process)
    assert await process.wait() == -9
    assert process.stdin is not None
    process.stdin.close()
