"""The development servers behind `make hybrid-up` and `make hybrid-down`.

Each of the two servers is the first of these that is available: the configured server, if it
answers; a container of Docker Compose; a server that this checkout starts itself, with its data in
`.run/`.
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
    """Start the servers that are not running, and print and store the addresses of both.

    Args:
        root: the top of the checkout.
        ports: the ports to use if they are free and no address is configured.

    Raises:
        ServiceError: a configured server does not answer and no server can be started in its
            place, or a server did not start. Servers that ran before are still running.
    """
    with _locked(root):
        configured = addresses.configured(root)
        for variable, url in configured.items():
            addresses.check(variable, url)
        found: dict[Kind, tuple[str, str]] = {}
        for kind in KINDS:
            if answer := _running_server(root, kind, configured.get(kind.variable)):
                found[kind] = answer
        missing = [kind for kind in KINDS if kind not in found]
        found |= _from_compose(root, missing, configured)
        missing = [kind for kind in KINDS if kind not in found]
        plans = [
            own.plan(root, kind, ports[kind], configured.get(kind.variable)) for kind in missing
        ]
        found |= own.start(plans)
        urls = {kind.variable: found[kind][0] for kind in KINDS}
        addresses.write_services_env(root, urls)
        for kind in KINDS:
            url, how = found[kind]
            click.echo(f"{kind.title:<10}  {addresses.where(url)}  {how}")
        click.echo(
            "The settings read these addresses, with their passwords, from .run/services.env."
        )


def down(root: Path) -> None:
    """Stop the servers that `up` started, and keep their data.

    Raises:
        ServiceError: a server does not stop.
    """
    with _locked(root):
        stopped = _stop_compose(root)
        for kind in KINDS:
            if port := kind.port_in_use(root):
                kind.server(root, port, None).stop()
                stopped.append(f"{kind.title:<10}  stopped; the data stays in {kind.folder}")
        click.echo("\n".join(stopped) or "No server of this checkout is running.")
        addresses.services_env(root).unlink(missing_ok=True)


def status(root: Path) -> bool:
    """Print the addresses and states of the servers; return whether both of them answer."""
    urls = addresses.read_services_env(root) | addresses.configured(root)
    all_answer = True
    for kind in KINDS:
        if url := urls.get(kind.variable):
            reason = addresses.connection_error(url)
            click.echo(f"{kind.title:<10}  {addresses.where(url)}  {reason or 'answers'}")
            all_answer = all_answer and reason is None
        else:
            click.echo(f"{kind.title:<10}  not configured; `make hybrid-up` starts one")
            all_answer = False
    return all_answer


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Hold a lock, so that only one `up` or `down` of this checkout runs at a time."""
    folder = root / ".run"
    folder.mkdir(exist_ok=True)
    with (folder / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _running_server(root: Path, kind: Kind, configured: str | None) -> tuple[str, str] | None:
    port = kind.port_in_use(root)
    if configured is None:
        if port is None:
            return None
        server = kind.server(root, port, None)
        if not server.answers():
            return None
        server.start(tied=False)
        return address(server), "of this checkout, already running"
    place = addresses.place(configured)
    reason = addresses.connection_error(configured)
    if reason is None:
        ours = place.local and port == place.port
        how = "of this checkout, already running" if ours else f"the server of {kind.variable}"
        return configured, how
    if not place.local:
        raise ServiceError(
            f"no {kind.title} answers at {kind.variable} ({addresses.where(configured)}): {reason}."
            f" Start it, or remove {kind.variable} from the environment and from .env to have one"
            " started here."
        )
    return None


def _from_compose(
    root: Path, missing: list[Kind], configured: dict[str, str]
) -> dict[Kind, tuple[str, str]]:
    compose = Compose.find(root) if missing else None
    if compose is None:
        return {}
    names = [kind.compose for kind in missing]
    running = compose.running()
    try:
        compose.up(*names)
    except ServiceError as error:
        click.echo(
            f"{error.message}\nDocker cannot be used; this checkout starts its servers itself.",
            err=True,
        )
        return {}
    if started := [name for name in names if name not in running]:
        _started_by_compose(root).write_text(" ".join(started))
    found = {}
    for kind in missing:
        url = configured.get(kind.variable) or compose.url(kind.compose)
        if reason := addresses.connection_error(url):
            raise ServiceError(
                f"Docker started {kind.compose!r}, but {addresses.where(url)} does not answer:"
                f" {reason}. Compare {kind.variable} with compose.yaml."
            )
        found[kind] = url, "Docker Compose"
    return found


def _stop_compose(root: Path) -> list[str]:
    started = _started_by_compose(root)
    if not started.exists():
        return []
    names = started.read_text().split()
    # without a Docker engine, no container is running
    if compose := Compose.find(root):
        compose.stop(*names)
    started.unlink()
    return [f"Docker Compose's {' and '.join(names)}: stopped; their volumes are kept"]


def _started_by_compose(root: Path) -> Path:
    return root / ".run" / "compose-services"
