"""The two services of a checkout, PostgreSQL and Redis: their names and their data folders."""

from dataclasses import dataclass
from pathlib import Path

from services.addresses import Place
from services.postgres import NAME, Postgres
from services.process import ServiceError
from services.redis import Redis


@dataclass(frozen=True)
class Kind:
    """One of the two services.

    Attributes:
        title: its name in messages.
        variable: the setting with its address.
        compose: its name in `compose.yaml`.
        folder: the folder of its data, relative to the top of the checkout.
    """

    title: str
    variable: str
    compose: str
    folder: str

    def server(self, root: Path, port: int, configured: Place | None) -> Postgres | Redis:
        """Return a server that this checkout starts itself.

        Args:
            root: the top of the checkout.
            port: the port of the server.
            configured: the configured address, whose names and password the server gets, or None.

        Raises:
            ServiceError: the address of PostgreSQL has no user or no password.
        """
        folder = root / self.folder
        if self is REDIS:
            password = None if configured is None else configured.password or ""
            return Redis(folder, port=port, password=password)
        if configured is None:
            return Postgres(folder, port=port)
        if not (configured.user and configured.password):
            raise ServiceError(
                "DATABASE_URL needs a user and a password: postgresql://user:password@host/name"
            )
        return Postgres(
            folder,
            port=port,
            user=configured.user,
            password=configured.password,
            database=configured.name or NAME,
        )

    def port_in_use(self, root: Path) -> int | None:
        """Return the port of this checkout's server, or None if it is not running."""
        kind = Redis if self is REDIS else Postgres
        return kind.port_in_use(root / self.folder)


POSTGRES = Kind("PostgreSQL", "DATABASE_URL", "db", ".run/postgres")
REDIS = Kind("Redis", "REDIS_URL", "redis", ".run/redis")
KINDS = (POSTGRES, REDIS)


def address(server: Postgres | Redis) -> str:
    """Return the address by which clients connect to a server."""
    return server.url if isinstance(server, Redis) else server.dsn
