"""Writes a backup in the background, and verifies that it can be read."""

import asyncio
import contextlib
import os
import sys
from asyncio import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import app
from app.core.errors import UserError
from app.core.postgres import backup, programs
from app.core.process.killing import kill

_BACKEND = Path(app.__file__).parents[1]
_TETHERED = "app.core.process.tethered"


async def write(dsn: str, file: Path) -> int:
    """Write a backup as :func:`.backup.write` does, verify it, and return its size in bytes.

    The file gets its name when it is complete, synced to the disk and verified by a full read. An
    earlier file with this name is replaced. If this call is cancelled or this process dies, the
    started programs end too. A process that dies leaves a file whose name begins with that of the
    backup and ends in ``.partial``.

    Raises:
        UserError: the file cannot be written, or :func:`.backup.commands_for` fails.
        psycopg.Error: PostgreSQL cannot be reached, or refuses this role.
    """
    commands = await asyncio.to_thread(backup.commands_for, dsn)
    try:
        with NamedTemporaryFile(
            prefix=f"{file.name}.", suffix=".partial", dir=file.parent, delete=False
        ) as partial:
            written = Path(partial.name)
            try:
                await _run(commands.dump, dsn, partial)
                await asyncio.to_thread(os.fsync, partial.fileno())
                await _check(commands, dsn, written)
                return await asyncio.to_thread(_appear, written, file)
            finally:
                written.unlink(missing_ok=True)  # noqa: ASYNC240 - quick, and must not be cancelled
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror or error}") from error


async def _check(commands: backup.Commands, dsn: str, file: Path) -> None:
    """Verify that a backup is complete.

    Raises:
        UserError: the backup lacks the project's tables, or cannot be read.
    """
    contents = await _run([*commands.contents, str(file)], dsn)
    if backup.schema_in(contents.decode(errors="replace")) is None:
        raise UserError("the backup does not contain the tables of this project")
    await _run([*commands.read, str(file)], dsn)


async def _run(command: list[str], dsn: str, output: IO[bytes] | None = None) -> bytes:
    """Run a program that ends with this process, and return its standard output.

    Raises:
        UserError: the program failed.
    """
    tethered: list[Any] = [sys.executable, "-P", "-m", _TETHERED, str(os.getpid()), *command]
    process = await asyncio.create_subprocess_exec(
        *tethered,
        stdin=subprocess.DEVNULL,
        stdout=output or subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**programs.environment(dsn), "PYTHONPATH": str(_BACKEND)},
        start_new_session=True,  # Ctrl-C must reach this process only, which ends the program
    )
    try:
        output_bytes, errors = await process.communicate()
    finally:
        kill(process)
        await asyncio.shield(process.wait())
    if process.returncode:
        raise backup.failed(command, errors)
    return output_bytes or b""


def _appear(written: Path, file: Path) -> int:
    """Rename a complete file to its final name, and return its size in bytes."""
    size = written.stat().st_size
    written.replace(file)
    # not every file system can do this
    with contextlib.suppress(OSError):
        opened = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
    return size
