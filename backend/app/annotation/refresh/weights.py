from collections.abc import Sequence

from app.annotation.sources.answers import Gene
from app.annotation.sources.base import Source, WeighedSource


async def weigh(source: Source, genes: Sequence[Gene]) -> Sequence[int]:
    """Return the expected work for each gene: 1, unless the source defines its own weights."""
    if isinstance(source, WeighedSource):
        return await source.weights(genes)
    return [1] * len(genes)
