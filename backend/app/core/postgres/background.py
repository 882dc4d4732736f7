"""Writes a backup beside other work, and makes sure that it can be read again."""

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
    """Write a backup as :func:`.backup.write` does; return its size in bytes.

    The file appears when it is complete and on the disk, and after it was read from its beginning
    to its end. A former file of this name is replaced. If this is cancelled or this process dies,
    the programs end with it; a process that dies leaves a file behind whose name begins with that
    of the file and ends in ``.partial``.

    Raises:
        UserError: the file cannot be written, or see :func:`.backup.commands_for`.
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
    """Make sure that a backup is complete.

    Raises:
        UserError: it is not.
    """
    contents = await _run([*commands.contents, str(file)], dsn)
    if backup.schema_in(contents.decode(errors="replace")) is None:
        raise UserError("the backup does not contain the tables of this project")
    await _run([*commands.read, str(file)], dsn)


async def _run(command: list[str], dsn: str, output: IO[bytes] | None = None) -> bytes:
    """Run a program that ends with this process; return what it wrote to standard output.

    Raises:
        UserError: it failed.
    """
    tethered: list[Any] = [sys.executable, "-P", "-m", _TETHERED, str(os.getpid()), *command]
    process = await asyncio.create_subprocess_exec(
        *tethered,
        stdin=subprocess.DEVNULL,
        stdout=output or subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**programs.environment(dsn), "PYTHONPATH": str(_BACKEND)},
        start_new_session=True,  # Ctrl-C is for this process, which ends the program
    )
    try:
        written, said = await process.communicate()
    finally:
        kill(process)
        await asyncio.shield(process.wait())
    if process.returncode:
        raise backup.failed(command, said)
    return written or b""


def _appear(written: Path, file: Path) -> int:
    """Give a file on the disk its name, and return its size."""
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
