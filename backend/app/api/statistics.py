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
    """Statistics of the runs, the workers, the schedules and the genes.

    Attributes:
        engine: the statistics of the runs and the workers.
        genes: the number of genes.
        last_successes: when a run last completed each source, in seconds since 1970.
        held: the sources whose latest answers are held.
        overdue: the number of schedules that are due and that no worker has done.
        ends: the end of the last tick of each schedule.
    """

    engine: EngineStatistics
    genes: int
    last_successes: dict[str, float]
    held: set[str]
    overdue: int
    ends: list[LastEnd]


async def read_statistics(connection: AsyncConnection) -> Statistics:
    """Query all statistics."""
    return Statistics(
        engine=await engine_statistics(connection),
        genes=await count_genes(connection),
        last_successes=await last_successes(connection),
        held=set(await held_sources(connection)),
        overdue=await count_overdue(connection),
        ends=await last_ends(connection),
    )
