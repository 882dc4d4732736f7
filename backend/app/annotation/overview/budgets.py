"""Reads the use of the request budgets of the sources' hosts."""

from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.annotation.upstream.host import Host
from app.core.redis.budgets import Budget, Budgets
from app.core.text.field_docs import View
from app.core.workers.views import WorkerStatus, worker_status


class HostBudget(View):
    """The request budget of a service. All workers share it."""

    host: str
    """The name of the service, as in `waiting_for` of a run."""
    sources: list[str]
    """The sources that use the service."""
    with_key: bool
    """Whether an API key is used, which has a budget of its own."""
    rate: float
    """The rate limit of the service, in requests per second."""
    used: float
    """The estimated share of the budget that was used in the last 10 seconds, from 0 to 1."""
    wait: float
    """Seconds for which a new request would have to wait."""
    paused: float
    """Seconds left of a pause that the service has asked for; 0 without a pause."""

    @property
    def is_idle(self) -> bool:
        """Whether the budget is unused and has no waiting requests."""
        return not (self.used or self.wait or self.paused)


class Status(WorkerStatus):
    """The workers, the queue, and the request budgets."""

    budgets: list[HostBudget] | None
    """The budgets; null if their use is not known, because Redis does not answer or the budgets are
    in the memory of another process, which executes the runs."""


async def status(
    connection: AsyncConnection, budgets: list[HostBudget] | None, *, arq_health: str | None
) -> Status:
    """Return the workers, the queue and the request budgets.

    Args:
        connection: the database connection.
        budgets: the result of :func:`read_budgets`. Read it before you take the connection.
        arq_health: arq's own health line, if arq is used and Redis has one.
    """
    workers = await worker_status(connection, arq_health=arq_health)
    return Status(**dict(workers), budgets=budgets)


async def read_budgets(settings: Settings, budgets: Budgets | None) -> list[HostBudget] | None:
    """Return the use of each budget, read in one request; None if it is not known.

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
