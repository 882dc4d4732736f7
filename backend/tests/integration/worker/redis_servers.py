"""Redis servers with a configuration of their own: with TLS, as a replica, as a sentinel."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
import redis

from harness.timing import WAIT, scaled
from harness.waiting import until
from services.binaries import redis_program
from services.process import FIRST_OUTGOING_PORT, LOOPBACK, free_port, is_free

Server = subprocess.Popen[bytes]
Start = Callable[..., tuple[Server, int]]


@contextmanager
def redis_servers(folder: Path) -> Iterator[Start]:
    """Start servers that are stopped at the end of the block."""
    started: list[Server] = []

    def start(configuration: str, *, program: Path | None = None, **client: object):
        port = free_port()
        # the nodes of a cluster communicate on a port that is 10,000 higher, which must be below
        # those of outgoing connections as well (see `free_port`)
        while "cluster-enabled" in configuration and not (
            port + 10_000 < FIRST_OUTGOING_PORT and is_free(port + 10_000)
        ):
            port = free_port()
        home = folder / f"redis-{port}"
        home.mkdir()
        file = home / "redis.conf"
        file.write_text(
            f"bind {LOOPBACK}\ndir {home}\nlogfile {home}/log\n" + configuration.format(port=port)
        )
        sentinel = ["--sentinel"] if "sentinel monitor" in configuration else []
        server = subprocess.Popen([program or redis_program(), file, *sentinel])
        started.append(server)
        with redis.Redis(host=LOOPBACK, port=port, **client) as asked:  # type: ignore[arg-type]
            until(lambda: answers(asked))
        return server, port

    try:
        yield start
    finally:
        for server in started:
            server.kill()
            server.wait()


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def redis_with_tls() -> Path:
    """The path of a server with TLS, which the wheel's does not have and a distribution's does."""
    # the wheel installs its own server into the .venv, which may come first on the PATH
    for folder, name in product(os.get_exec_path(), ("redis-server", "valkey-server")):
        if found := shutil.which(name, path=folder):
            asked = [found, "--port", "0", "--tls-port", "0", "--tls-protocols", "none"]
            said = subprocess.run(
                asked, capture_output=True, text=True, check=False, timeout=scaled(WAIT)
            )
            if "Bad directive" not in said.stdout + said.stderr:
                return Path(found)
    pytest.skip("no redis-server with TLS on the PATH (Debian: apt install redis-server)")
