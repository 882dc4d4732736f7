"""The development servers behind `make hybrid-up` and `make hybrid-down`.

For each of the two, apart from the other, the first of: the server that is configured and answers,
Docker Compose, a server of our own with its data below `.run/`.
"""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from services import addresses, own
from services.compose import Compose
from services.kinds import KINDS, POSTGRES, REDIS, Kind, address
from services.process import ServiceError

STANDARD_PORTS: Mapping[Kind, int] = {POSTGRES: 5432, REDIS: 6379}


def up(root: Path, ports: Mapping[Kind, int] = STANDARD_PORTS) -> None:
    """Have both servers running, say where, and leave their addresses for the settings.

    Args:
        root: the top of the checkout.
        ports: the ones to take if they are free and no address is configured.

    Raises:
        ServiceError: a configured server does not answer and cannot be stood in for, or one of our
            own did not start. Servers of our own that ran before run on as they did.
    """
    with _alone(root):
        wanted = addresses.configured(root)
        for variable, url in wanted.items():
            addresses.check(variable, url)
        found: dict[Kind, tuple[str, str]] = {}
        for kind in KINDS:
            if answer := _already_there(root, kind, wanted.get(kind.variable)):
                found[kind] = answer
        missing = [kind for kind in KINDS if kind not in found]
        found |= _from_compose(root, missing, wanted)
        missing = [kind for kind in KINDS if kind not in found]
        plans = [own.plan(root, kind, ports[kind], wanted.get(kind.variable)) for kind in missing]
        found |= own.start(plans)
        urls = {kind.variable: found[kind][0] for kind in KINDS}
        addresses.write_services_env(root, urls)
        for kind in KINDS:
            url, how = found[kind]
            click.echo(f"{kind.title:<10}  {addresses.where(url)}  {how}")
        click.echo("The settings find them in .run/services.env; passwords are only there.")


def down(root: Path) -> None:
    """Stop what `up` started, and keep its data.

    Raises:
        ServiceError: a server does not stop.
    """
    with _alone(root):
        stopped = _stop_compose(root)
        for kind in KINDS:
            if port := kind.port_in_use(root):
                kind.server(root, port, None).stop()
                stopped.append(f"{kind.title:<10}  stopped; its data stays in {kind.folder}")
        click.echo("\n".join(stopped) or "Nothing of this checkout is running.")
        addresses.services_env(root).unlink(missing_ok=True)


def status(root: Path) -> bool:
    """Say where the servers are and whether they answer; False when one does not."""
    urls = addresses.read_services_env(root) | addresses.configured(root)
    fine = True
    for kind in KINDS:
        if url := urls.get(kind.variable):
            reason = addresses.silence(url)
            click.echo(f"{kind.title:<10}  {addresses.where(url)}  {reason or 'answers'}")
            fine = fine and reason is None
        else:
            click.echo(f"{kind.title:<10}  none: `make hybrid-up` starts one")
            fine = False
    return fine


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One `up` or `down` of this checkout at a time."""
    folder = root / ".run"
    folder.mkdir(exist_ok=True)
    with (folder / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _already_there(root: Path, kind: Kind, wanted: str | None) -> tuple[str, str] | None:
    port = kind.port_in_use(root)
    if wanted is None:
        if port is None:
            return None
        server = kind.server(root, port, None)
        if not server.answers():
            return None
        server.start(tied=False)
        return address(server), "our own, already running"
    place = addresses.place(wanted)
    reason = addresses.silence(wanted)
    if reason is None:
        ours = place.local and port == place.port
        how = "our own, already running" if ours else f"answers at {kind.variable}"
        return wanted, how
    if not place.local:
        raise ServiceError(
            f"no {kind.title} at {kind.variable} ({addresses.where(wanted)}): {reason}. Start it,"
            f" or take {kind.variable} out of the environment and of .env to have one here."
        )
    return None


def _from_compose(
    root: Path, missing: list[Kind], wanted: dict[str, str]
) -> dict[Kind, tuple[str, str]]:
    compose = Compose.find(root) if missing else None
    if compose is None:
        return {}
    names = [kind.compose for kind in missing]
    running = compose.running()
    try:
        compose.up(*names)
    except ServiceError as error:
        click.echo(f"{error.message}\nStarting servers of our own instead.", err=True)
        return {}
    if started := [name for name in names if name not in running]:
        _started_by_compose(root).write_text(" ".join(started))
    found = {}
    for kind in missing:
        url = wanted.get(kind.variable) or compose.url(kind.compose)
        if reason := addresses.silence(url):
            raise ServiceError(
                f"Docker started {kind.compose!r}, and {addresses.where(url)} does not answer:"
                f" {reason}. Does {kind.variable} say what compose.yaml does?"
            )
        found[kind] = url, "Docker Compose"
    return found


def _stop_compose(root: Path) -> list[str]:
    started = _started_by_compose(root)
    if not started.exists():
        return []
    names = started.read_text().split()
    # without an engine, no container runs
    if compose := Compose.find(root):
        compose.stop(*names)
    started.unlink()
    return [f"Docker Compose's {' and '.join(names)}: stopped; the volumes stay"]


def _started_by_compose(root: Path) -> Path:
    return root / ".run" / "compose-services"
