"""The two services of a checkout: what they are called, and where their data is."""

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
        title: its name for people.
        variable: the setting that holds its address.
        compose: its name in `compose.yaml`.
        folder: where its data is, in the project's root.
    """

    title: str
    variable: str
    compose: str
    folder: str

    def server(self, root: Path, port: int, wanted: Place | None) -> Postgres | Redis:
        """Our own server, with the names and the password of the configured address, if any.

        Raises:
            ServiceError: PostgreSQL's address names no user or no password.
        """
        folder = root / self.folder
        if self is REDIS:
            password = None if wanted is None else wanted.password or ""
            return Redis(folder, port=port, password=password)
        if wanted is None:
            return Postgres(folder, port=port)
        if not (wanted.user and wanted.password):
            raise ServiceError(
                "DATABASE_URL needs a user and a password: postgresql://user:password@host/name"
            )
        return Postgres(
            folder,
            port=port,
            user=wanted.user,
            password=wanted.password,
            database=wanted.name or NAME,
        )

    def port_in_use(self, root: Path) -> int | None:
        """The port of our own server while it runs."""
        kind = Redis if self is REDIS else Postgres
        return kind.port_in_use(root / self.folder)


POSTGRES = Kind("PostgreSQL", "DATABASE_URL", "db", ".run/postgres")
REDIS = Kind("Redis", "REDIS_URL", "redis", ".run/redis")
KINDS = (POSTGRES, REDIS)


def address(server: Postgres | Redis) -> str:
    """Where a server of our own is, for its clients."""
    return server.url if isinstance(server, Redis) else server.dsn
