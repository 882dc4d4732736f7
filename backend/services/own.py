"""A checkout's own servers: decided before anything is touched, started, put back on failure."""

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
    """What is to be done for one of the services.

    Attributes:
        kind: which one.
        server: to be started.
        before: running on the same data for another address or password, to be stopped for it.
        configured: the address that the new one has to serve, if one is configured.
        how: where it comes from, for people.
        port_file: remembers the port that we chose; None when the configured address names it.
    """

    kind: Kind
    server: Postgres | Redis
    before: Postgres | Redis | None
    configured: str | None
    how: str
    port_file: Path | None


def plan(root: Path, kind: Kind, standard: int, configured: str | None) -> Plan:
    """Decide how a server of our own is to run; nothing is touched yet.

    Without a configured address it gets the port that it had last, so that programs left running
    find it again, else the standard one, else any that is free.

    Raises:
        ServiceError: it could not serve the configured address.
    """
    running = kind.port_in_use(root)
    before = None if running is None else _as_it_runs(root, kind, running)
    if configured is not None:
        place = addresses.place(configured)
        server = kind.server(root, place.port, place)
        if place.port != running:
            _check_port(kind, place.port, configured)
        return Plan(kind, server, before, configured, "our own", None)

    def takes(port: int) -> bool:
        return port == running or process.is_free(port)

    port_file = root / kind.folder / "port"
    remembered = port_file.read_text() if port_file.exists() else ""
    # a crash may have left the file empty
    last = int(remembered) if remembered.isdecimal() else standard
    port = next(filter(takes, (last, standard)), None) or process.free_port()
    how = "our own" if takes(standard) else f"our own ({standard} is somebody else's)"
    return Plan(kind, kind.server(root, port, None), before, None, how, port_file)


def start(plans: Sequence[Plan]) -> dict[Kind, tuple[str, str]]:
    """Carry the plans out; if one of them fails, everything is put back as it was.

    Returns:
        The address of each, and how it came to be.

    Raises:
        ServiceError: one did not start, or does not serve the configured address.
    """
    found: dict[Kind, tuple[str, str]] = {}
    with ExitStack() as undo:
        for each in plans:
            undo.callback(_put_back, each)
            if each.before is not None:
                each.before.stop()
            each.server.start(tied=False)
            url = each.configured or address(each.server)
            if reason := addresses.silence(url):
                raise ServiceError(
                    f"a {each.kind.title} of our own cannot serve {each.kind.variable} as it is"
                    f" written: {reason}"
                )
            found[each.kind] = url, each.how
        undo.pop_all()
    for each in plans:
        if each.port_file is not None:
            each.port_file.write_text(str(each.server.port))
    return found


def _as_it_runs(root: Path, kind: Kind, port: int) -> Postgres | Redis:
    """The server that runs now, with the password that it was last started for."""
    url = addresses.read_services_env(root).get(kind.variable)
    place = None if url is None else addresses.place(url)
    if place and place.local and place.port == port:
        return kind.server(root, port, place)
    return kind.server(root, port, None)


def _check_port(kind: Kind, port: int, configured: str) -> None:
    silence = (addresses.silence(configured) or "").rstrip(".")
    remedy = (
        f"{silence}. Put the address right, or take it out of the environment"
        " and of .env to have a server on a free port."
    )
    # root could take them for Redis, but not for PostgreSQL, which does not run as root
    if port < _FIRST_PORT_FOR_USERS:
        raise ServiceError(
            f"no {kind.title} answers at {kind.variable} ({addresses.where(configured)}), and ours"
            f" take no port below {_FIRST_PORT_FOR_USERS}: {remedy}"
        )
    if not process.is_free(port):
        raise ServiceError(
            f"what listens on port {port} is not the {kind.title} of {kind.variable}: {remedy}"
        )


def _put_back(failed: Plan) -> None:
    try:
        failed.server.stop()
        if failed.before is not None:
            failed.before.start(tied=False)
            click.echo(
                f"{failed.kind.title} runs on port {failed.before.port} again, as before.", err=True
            )
    except ServiceError as error:
        # the reason to put it back is raised in any case
        click.echo(f"{failed.kind.title} could not be put back: {error.message}", err=True)
