"""Starts the two servers of the project's `compose.yaml` if a Docker engine is available.

`compose.hybrid.yaml` publishes their ports on the loopback address and puts them in a separate
Compose project.
"""

import json
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from dotenv import dotenv_values

from services.addresses import place
from services.process import LOOPBACK, ServiceError

_COMMAND_SECONDS = 20.0
# long enough to fetch two images
_UP_SECONDS = 900.0

_FILES = ("compose.yaml", "compose.hybrid.yaml")
# Compose requires all variables in its files, whichever services it starts
_REQUIRED = ("POSTGRES_PASSWORD", "REDIS_API_PASSWORD", "REDIS_WORKER_PASSWORD", "ADMIN_TOKEN")


@dataclass(frozen=True)
class Compose:
    """Docker Compose in the project's root.

    Attributes:
        root: the folder of the two Compose files.
        docker: the docker program.
    """

    root: Path
    docker: str

    @classmethod
    def find(cls, root: Path) -> "Compose | None":
        """Return Docker Compose, or None if `compose.yaml` or a running engine is missing."""
        docker = shutil.which("docker")
        if docker is None or not (root / "compose.yaml").exists():
            return None
        compose = cls(root, docker)
        try:
            compose._run("compose", "version")
            compose._run("info")
        except ServiceError:
            return None
        return compose

    def running(self) -> set[str]:
        """Return the names of the running services."""
        return set(self._run("compose", "ps", "--services", "--status", "running").split())

    def up(self, *services: str) -> None:
        """Start services and wait until they are healthy.

        Raises:
            ServiceError: Docker could not start them. The message contains its last line.
        """
        self._run("compose", "up", "-d", "--wait", *services, seconds=_UP_SECONDS)

    def stop(self, *services: str) -> None:
        """Stop services. Their data stays.

        Raises:
            ServiceError: Docker could not stop them.
        """
        self._run("compose", "stop", *services, seconds=_UP_SECONDS)

    def url(self, service: str) -> str:
        """Return the address of a running service at its published port.

        Raises:
            ServiceError: the service publishes no port.
        """
        config = json.loads(self._run("compose", "config", "--format", "json"))
        if service == "redis":
            env = config["services"].get(service, {}).get("environment", {})
            password = quote(env.get("REDIS_WORKER_PASSWORD", ""), safe="")
            login = f"kidney-worker:{password}@" if password else ""
            return f"redis://{login}{LOOPBACK}:{self._port(service, 6379)}/0"
        # the role that the containers of the project use, which is not a superuser
        given = place(config["services"]["migrate"]["environment"]["DATABASE_URL"])
        login = f"{quote(given.user or '', safe='')}:{quote(given.password or '', safe='')}"
        database = quote(given.name, safe="")
        return f"postgresql://{login}@{LOOPBACK}:{self._port(service, 5432)}/{database}"

    def _port(self, service: str, inside: int) -> int:
        published = self._run("compose", "port", service, str(inside)).strip()
        if not published:
            raise ServiceError(f"Docker Compose publishes no port of {service!r}")
        return int(published.rpartition(":")[2])

    def _passwords(self) -> dict[str, str]:
        """Return generated values for the variables that Compose requires and that are not set.

        A value is generated once and kept in a file.
        """
        configured = os.environ | {k: v for k, v in dotenv_values(self.root / ".env").items() if v}
        missing = [name for name in _REQUIRED if not configured.get(name)]
        file = self.root / ".run" / "compose.env"
        kept = {name: value for name, value in dotenv_values(file).items() if value}
        generated = {name: secrets.token_hex(24) for name in missing if name not in kept}
        values = kept | generated
        if generated:
            file.parent.mkdir(exist_ok=True)
            # an existing file would keep its mode
            file.unlink(missing_ok=True)
            file.touch(0o600)
            file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        return {name: value for name, value in values.items() if name in missing}

    def _run(self, *arguments: str, seconds: float = _COMMAND_SECONDS) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - docker, with our arguments
                [self.docker, *arguments],
                cwd=self.root,
                env=os.environ | {"COMPOSE_FILE": os.pathsep.join(_FILES)} | self._passwords(),
                check=False,
                capture_output=True,
                text=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise ServiceError(
                f"docker {' '.join(arguments)}: not finished after {seconds:g} s"
            ) from error
        if done.returncode:
            reason = (done.stderr.strip() or "it gave no reason").splitlines()[-1]
            raise ServiceError(f"docker {' '.join(arguments)}: {reason}")
        return done.stdout
