"""Starts the servers of a checkout: plans all of them first, and rolls back on failure."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from services import addresses, process
from services.kinds import Kind, address
from services.postgres import Postgres
from services.process import ServiceError
from services.redis import Redis

_FIRST_PORT_FOR_USERS = 1024


@dataclass(frozen=True)
class Plan:
    """How to start one of the two servers.

    Attributes:
        kind: the service.
        server: the server to start.
        before: the server that is running on the same data with another address or password, and
            that must be stopped first; None if there is none.
        configured: the configured address, which the new server must serve, or None.
        how: the origin of the server, for messages.
        port_file: the file that stores the chosen port; None if the configured address determines
            the port.
    """

    kind: Kind
    server: Postgres | Redis
    before: Postgres | Redis | None
    configured: str | None
    how: str
    port_file: Path | None


def plan(root: Path, kind: Kind, standard: int, configured: str | None) -> Plan:
    """Decide how to start a server, without starting or stopping anything.

    Without a configured address, the server gets the port that it had last, so that running
    programs can reconnect. If that port is not free, it gets the standard port, or else any free
    port.

    Raises:
        ServiceError: a server of this checkout could not serve the configured address.
    """
    running = kind.port_in_use(root)
    before = None if running is None else _running_server(root, kind, running)
    if configured is not None:
        place = addresses.place(configured)
        server = kind.server(root, place.port, place)
        if place.port != running:
            _check_port(kind, place.port, configured)
        return Plan(kind, server, before, configured, "of this checkout", None)

    def is_usable(port: int) -> bool:
        return port == running or process.is_free(port)

    port_file = root / kind.folder / "port"
    remembered = port_file.read_text() if port_file.exists() else ""
    # a crash may have left an empty file
    last = int(remembered) if remembered.isdecimal() else standard
    port = next(filter(is_usable, (last, standard)), None) or process.free_port()
    other = "" if is_usable(standard) else f" (another program uses port {standard})"
    how = f"of this checkout{other}"
    return Plan(kind, kind.server(root, port, None), before, None, how, port_file)


def start(plans: Sequence[Plan]) -> dict[Kind, tuple[str, str]]:
    """Start the planned servers. If one of them fails, restart the servers that ran before.

    Returns:
        The address and the origin of each server.

    Raises:
        ServiceError: a server did not start, or does not serve the configured address.
    """
    found: dict[Kind, tuple[str, str]] = {}
    with ExitStack() as undo:
        for plan in plans:
            undo.callback(_restore, plan)
            if plan.before is not None:
                plan.before.stop()
            plan.server.start(tied=False)
            url = plan.configured or address(plan.server)
            if reason := addresses.connection_error(url):
                raise ServiceError(
                    f"the {plan.kind.title} of this checkout cannot serve {plan.kind.variable} as"
                    f" it is written: {reason}"
                )
            found[plan.kind] = url, plan.how
        undo.pop_all()
    for plan in plans:
        if plan.port_file is not None:
            plan.port_file.write_text(str(plan.server.port))
    return found


def _running_server(root: Path, kind: Kind, port: int) -> Postgres | Redis:
    """Return the running server, with the password with which it was last started."""
    url = addresses.read_services_env(root).get(kind.variable)
    place = None if url is None else addresses.place(url)
    if place and place.local and place.port == port:
        return kind.server(root, port, place)
    return kind.server(root, port, None)


def _check_port(kind: Kind, port: int, configured: str) -> None:
    reason = (addresses.connection_error(configured) or "").rstrip(".")
    remedy = (
        f"{reason}. Correct the address, or remove it from the environment and from .env to have a"
        " server started on a free port."
    )
    # root could use these ports for Redis, but not for PostgreSQL, which does not run as root
    if port < _FIRST_PORT_FOR_USERS:
        raise ServiceError(
            f"no {kind.title} answers at {kind.variable} ({addresses.where(configured)}), and a"
            f" server of this checkout cannot use a port below {_FIRST_PORT_FOR_USERS}: {remedy}"
        )
    if not process.is_free(port):
        raise ServiceError(
            f"the program on port {port} is not the {kind.title} of {kind.variable}: {remedy}"
        )


def _restore(failed: Plan) -> None:
    try:
        failed.server.stop()
        if failed.before is not None:
            failed.before.start(tied=False)
            click.echo(
                f"{failed.kind.title} runs on port {failed.before.port} again, as before.", err=True
            )
    except ServiceError as error:
        # printed and not raised, because it would hide the error that caused the rollback
        click.echo(f"{failed.kind.title} could not be started again: {error.message}", err=True)
