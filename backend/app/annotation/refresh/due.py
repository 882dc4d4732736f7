"""Reads the genes that a run still has to ask a source about."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from app.annotation.sources.base import Gene
from app.core.runs.attempt import Attempt

PAGE = 1_000
"""The number of genes that are read at a time."""

# A gene without an annotation is due. A gene that this run has not asked about yet is due when
# everything is refreshed, when its answer is unknown or stale, and when its answer is dated in the
# future, because a clock that was ahead wrote the date.
_DUE_PAGE = text(
    """
    SELECT g.id, g.hgnc_id, g.symbol, g.ensembl_gene_id, g.entrez_id
    FROM genes g LEFT JOIN annotations a ON a.gene_id = g.id AND a.source = :source
    WHERE g.id > :after AND (a.gene_id IS NULL OR (
      a.checked_run_id IS DISTINCT FROM :run_id
      AND (:everything OR a.checked_state = 'unknown' OR a.state = 'unknown'
           OR a.fetched_at < now() - CAST(:freshness AS interval)
           OR a.fetched_at > now() + interval '1 minute')))
    ORDER BY g.id LIMIT :page
    """
)

_DUE_COUNT = text(
    """
    SELECT count(*)
    FROM genes g LEFT JOIN annotations a ON a.gene_id = g.id AND a.source = :source
    WHERE a.gene_id IS NULL OR (
      a.checked_run_id IS DISTINCT FROM :run_id
      AND (:everything OR a.checked_state = 'unknown' OR a.state = 'unknown'
           OR a.fetched_at < now() - CAST(:freshness AS interval)
           OR a.fetched_at > now() + interval '1 minute'))
    """
)


@dataclass(frozen=True, slots=True)
class Due:
    """The genes that are due for a source, without those that this run has already asked about.

    Args:
        attempt: of the run.
        run_id: the run.
        source: its name.
        everything: whether genes with a fresh answer are due, too.
        freshness: the age from which an answer is stale.
    """

    attempt: Attempt
    run_id: int
    source: str
    everything: bool
    freshness: timedelta

    async def count(self) -> int:
        """Return how many genes are due."""
        async with self.attempt.reading() as connection:
            found: int = (await connection.execute(_DUE_COUNT, self._values())).scalar_one()
            return found

    async def pages(self) -> AsyncIterator[list[Gene]]:
        """Read the genes page by page, so that memory does not grow with their number."""
        after = 0
        while True:
            values = self._values() | {"after": after, "page": PAGE}
            async with self.attempt.reading() as connection:
                rows = await connection.execute(_DUE_PAGE, values)
                page = [Gene(*row) for row in rows]
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1].id

    def _values(self) -> dict[str, object]:
        return {
            "source": self.source,
            "run_id": self.run_id,
            "everything": self.everything,
            "freshness": self.freshness,
        }
