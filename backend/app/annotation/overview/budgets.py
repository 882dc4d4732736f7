"""How much of the request budgets of the sources' hosts is in use."""

from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.annotation.upstream.host import Host
from app.core.redis.budgets import Budget, Budgets
from app.core.text.field_docs import View
from app.core.workers.views import WorkerStatus, worker_status


class HostBudget(View):
    """The request budget of a service, which all workers share."""

    host: str
    """The name of the service, as in `waiting_for` of a run."""
    sources: list[str]
    """The sources that ask it."""
    with_key: bool
    """Whether the budget is that of an API key."""
    rate: float
    """Requests a second that the service allows."""
    used: float
    """The share of the slots of the last 10 seconds that were taken, from 0 to 1. It is an
    estimate."""
    wait: float
    """Seconds that a request would wait for its slot now."""
    paused: float
    """Seconds that the service has asked to wait, and that are left; 0 if it has not."""

    @property
    def is_idle(self) -> bool:
        """Whether nobody uses it, and nobody has to wait for it."""
        return not (self.used or self.wait or self.paused)


class Status(WorkerStatus):
    """The workers, the queue, and the request budgets."""

    budgets: list[HostBudget] | None
    """Null if it is not known how much of them is in use: Redis gives no answer, or the budgets are
    in the memory of another process, which executes the runs."""


async def status(
    connection: AsyncConnection, budgets: list[HostBudget] | None, *, arq_health: str | None
) -> Status:
    """Return the workers, the queue and the request budgets.

    Args:
        connection: the database connection.
        budgets: the budgets of :func:`read_budgets`. Read them before the connection is taken.
        arq_health: arq's own health line, if arq is used and Redis has one.
    """
    workers = await worker_status(connection, arq_health=arq_health)
    return Status(**dict(workers), budgets=budgets)


async def read_budgets(settings: Settings, budgets: Budgets | None) -> list[HostBudget] | None:
    """Return how much of each budget is in use, in one look; None if that is not known.

    Args:
        settings: the settings of the sources.
        budgets: None if they are in the memory of another process.
    """
    if budgets is None:
        return None
    known = list(_known(settings))
    found = await budgets.read([budget for _, _, budget in known])
    if found is None:
        return None
    return [
        HostBudget(
            host=host.name,
            sources=[name for name, source in SOURCES.items() if host in source.info.hosts],
            with_key=with_key,
            rate=budget.rate,
            used=use.used,
            wait=use.wait,
            paused=use.paused,
        )
        for (host, with_key, budget), use in zip(known, found, strict=True)
    ]


def _known(settings: Settings) -> Iterator[tuple[Host, bool, Budget]]:
    hosts = {host.name: host for source in SOURCES.values() for host in source.info.hosts}
    for host in hosts.values():
        secret = getattr(settings, host.key_setting) if host.key_setting else None
        key = secret.get_secret_value() if secret else None
        rate = getattr(settings, host.rate_setting) if host.rate_setting else None
        yield host, bool(key), Budget(host.budget(key), rate or host.allowed(key))
