from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.refresh.coverage import (
    count_genes,
    held_sources,
    last_successes,
)
from app.core.schedules.views import LastEnd, count_overdue, last_ends
from app.core.workers.metrics import EngineStatistics, engine_statistics


@dataclass(frozen=True, slots=True)
class Statistics:
    """What PostgreSQL knows about the runs, the workers and the schedules, and of the genes.

    Attributes:
        engine: the runs and the workers.
        genes: the number of genes.
        last_successes: when a run last completed a source, as seconds since 1970, by source.
        held: the sources whose latest answers are held.
        overdue: the number of schedules whose time has come and that nobody has done.
        ends: how the last tick of each schedule ended.
    """

    engine: EngineStatistics
    genes: int
    last_successes: dict[str, float]
    held: set[str]
    overdue: int
    ends: list[LastEnd]


async def read_statistics(connection: AsyncConnection) -> Statistics:
    """Query everything anew."""
    return Statistics(
        engine=await engine_statistics(connection),
        genes=await count_genes(connection),
        last_successes=await last_successes(connection),
        held=set(await held_sources(connection)),
        overdue=await count_overdue(connection),
        ends=await last_ends(connection),
    )
