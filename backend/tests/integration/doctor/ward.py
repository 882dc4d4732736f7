"""What the doctor's tests share: servers to break, and shells to repair them in."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.rows import dict_row

from app.annotation.settings import Settings
from app.core.checks import Status
from app.doctor.run import Result
from harness.connections import serving
from harness.timing import WAIT, limit, scaled
from sandbox.options import Options
from sandbox.server import Sandbox
from services.binaries import postgres_folder, redis_program
from services.process import await_true, free_port
from tests.patient import REPOSITORY, Patient


def equip(patient: Patient) -> Patient:
    """Provide `make`, `just`, `redis-cli` and `psql` for the printed commands."""
    (patient.root / "Makefile").write_text("%:\n\tjust $@\n")
    programs = [str(redis_program().parent), str(postgres_folder()), patient.environ["PATH"]]
    patient.env |= {
        "PATH": ":".join(programs),
        "JUST_JUSTFILE": str(REPOSITORY / "justfile"),
        "PGPASSWORD": urlsplit(patient.env["DATABASE_URL"]).password or "",
    }
    return patient


def change(patient: Patient, **settings: Any) -> None:
    """Return the installation with other settings."""
    patient.env |= {name.upper(): str(value) for name, value in settings.items()}
    known = {n.lower(): v for n, v in patient.env.items() if n.lower() in Settings.model_fields}
    patient.about["settings"] = Settings(_env_file=None, **known)


@contextmanager
def upstreams(patient: Patient, folder: Path) -> Iterator[Sandbox]:
    """Use the sandbox with 30 genes as the upstream services of the installation."""
    options = Options(genes=30, variants_per_gene=5, limits="off", cache_dir=folder / "sandbox")
    with Sandbox(options) as sandbox:
        change(patient, **sandbox.settings)
        yield sandbox


def needs_program(name: str) -> str:
    """Return the path of a program, or skip the test if it is missing."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def follow(patient: Patient, result: Result) -> None:
    """Run the printed command, and enter Redis's password if it prompts for one."""
    assert result.remedy, result.finding
    password = urlsplit(patient.env["REDIS_URL"]).password or ""
    done = subprocess.run(
        ["sh", "-eu", "-c", result.remedy],
        cwd=patient.root,
        env=patient.environ,
        input=f"{password}\n" * 3,
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(60),
    )
    assert done.returncode == 0, f"{result.remedy}\n{done.stdout}{done.stderr}"


@contextmanager
def following(patient: Patient, result: Result) -> Iterator[None]:
    """Run the printed command, which keeps running, until the end of the block."""
    assert result.remedy, result.finding
    with (patient.root / "following.log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-eu", "-c", result.remedy],
            cwd=patient.root,
            env=patient.environ,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(scaled(15))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


async def until_ok(patient: Patient, check: str, seconds: float = 30) -> None:
    """Poll until a check passes."""
    async with limit(seconds):
        while (result := await patient.see(check)).status is not Status.ok:
            await asyncio.sleep(0.2)
            assert result.status is not Status.skipped, result.finding


def query(patient: Patient, statement: str, *values: Any) -> list[dict[str, Any]]:
    """Read or change the database."""
    with psycopg.connect(patient.env["DATABASE_URL"], row_factory=dict_row) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def redis_of_ones_own(
    folder: Path, *options: str, ignoring: bool = False
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a Redis with these options, and no others.

    Args:
        folder: where it writes.
        options: of `redis-server`; `--port` among them.
        ignoring: SIGXFSZ, so that a limit of its files is an error and not its end.
    """
    folder.mkdir(exist_ok=True)
    # Python ignores SIGXFSZ, and a child that does not restore it does so too
    process = subprocess.Popen(
        [str(redis_program()), "--dir", str(folder), "--save", "", *options],
        stdout=subprocess.DEVNULL,
        restore_signals=not ignoring,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> None:
    """Wait until a program listens on a port of this machine."""

    def connects() -> bool:
        with socket.socket() as there:
            return there.connect_ex(("127.0.0.1", port)) == 0

    assert await_true(connects, scaled(WAIT))


@contextmanager
def silent() -> Iterator[int]:
    """Yield a port that accepts connections and never sends anything."""
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        there.listen(100)
        yield there.getsockname()[1]


@asynccontextmanager
async def between(
    url: str, *, change: Callable[[bytes], bytes] = lambda said: said, delay: float = 0.0
) -> AsyncIterator[str]:
    """Run a proxy that changes or delays the responses of a server."""
    parts = urlsplit(url)

    async def pipe(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, through: Callable[..., bytes]
    ) -> None:
        with contextlib.suppress(OSError):
            while said := await reader.read(65_536):
                await asyncio.sleep(delay / 2)
                writer.write(through(said))
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            await asyncio.gather(
                pipe(reader, there, lambda said: said), pipe(there_reader, writer, change)
            )
        finally:
            there.transport.abort()

    async with serving(serve) as port:
        user = parts.netloc.rpartition("@")
        yield parts._replace(netloc=f"{user[0]}{user[1]}127.0.0.1:{port}").geturl()


@contextmanager
def running_pgbouncer(url: str, settings: str) -> Iterator[str]:
    """Start a PgBouncer in front of a server, and yield its address.

    Args:
        url: of the server.
        settings: more lines of the section `[pgbouncer]`; every other setting is PgBouncer's own.
    """
    program = needs_program("pgbouncer")
    with ExitStack() as stack:
        # it refuses to run as root, and every session of pytest closes the folder of all of them
        # to other accounts
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="pgbouncer-")))
        folder.chmod(0o755)
        parts = urlsplit(url)
        port = free_port()
        file, users = folder / "pgbouncer.ini", folder / "users.txt"
        users.write_text(f'"{parts.username}" "{parts.password}"\n')
        file.write_text(
            f"[databases]\n* = host={parts.hostname} port={parts.port}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = plain\n"
            f"auth_file = {users}\nunix_socket_dir =\n{settings}"
        )
        for path in (users, file):
            path.chmod(0o644)
        account = pwd.getpwnam("nobody")
        log = file.with_suffix(".log")
        process = subprocess.Popen(
            [program, str(file)],
            stdout=stack.enter_context(log.open("wb")),
            stderr=subprocess.STDOUT,
            **({"user": account.pw_uid, "group": account.pw_gid} if os.getuid() == 0 else {}),
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        assert await_true(lambda: "process up" in log.read_text(), 30), log.read_text()
        yield parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()
