"""Which genes a run has still to ask a source about."""

from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy import text

from app.annotation.sources.base import Gene
from app.core.runs.attempt import Attempt

PAGE = 1_000
"""Genes read at a time, so that memory does not grow with the number of genes."""

_DUE = text(
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


async def due_pages(
    attempt: Attempt, source: str, *, everything: bool, freshness: timedelta
) -> AsyncIterator[list[Gene]]:
    """Go through the genes that are due, by pages, without those already done for this run.

    Args:
        attempt: of the run.
        source: its name.
        everything: also what is known and fresh.
        freshness: an older answer is stale, and so is one that a clock that was ahead has put into
            the future.
    """
    after = 0
    while True:
        async with attempt.reading() as connection:
            rows = await connection.execute(
                _DUE,
                {
                    "source": source,
                    "after": after,
                    "run_id": attempt.ref.run_id,
                    "everything": everything,
                    "freshness": freshness,
                    "page": PAGE,
                },
            )
            page = [Gene(*row) for row in rows]
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = page[-1].id
