from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.refresh.coverage import (
    Coverage,
    count_genes,
    coverage,
    last_successes,
)
from app.core.workers.metrics import EngineNumbers, engine_numbers


@dataclass(frozen=True, slots=True)
class Numbers:
    """All that PostgreSQL tells of the runs, the workers and the annotations."""

    engine: EngineNumbers
    genes: int
    coverage: dict[str, Coverage]
    succeeded: dict[str, float]


async def read_numbers(connection: AsyncConnection) -> Numbers:
    """Count everything anew."""
    return Numbers(
        engine=await engine_numbers(connection),
        genes=await count_genes(connection),
        coverage=await coverage(connection),
        succeeded=await last_successes(connection),
    )
