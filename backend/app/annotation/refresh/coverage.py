"""Reads how complete and how fresh the annotations of each source are.

Withdrawn genes do not count, because runs do not ask about them.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Double, cast, extract, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.text.field_docs import View
from app.db.tables import annotations, genes


class Held(View):
    """New answers of a source that were not stored because they look wrong."""

    run_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """The state of one source's annotations. Times are seconds since 1970.

    Attributes:
        found: the number of genes whose last good answer is found.
        absent: the number of genes whose last good answer is absent.
        unknown: the number of genes that never had a good answer.
        unanswered: the number of genes whose last check ended unknown. They may have an earlier
            good answer.
        oldest: the time of the oldest check.
        median: the median time of the checks.
    """

    found: int
    absent: int
    unknown: int
    unanswered: int
    oldest: float
    median: float

    @property
    def genes(self) -> int:
        """The number of genes that the source was asked about."""
        return self.found + self.absent + self.unknown


# One scan of the table takes half a second for 20,000 genes and 15 sources.
_COVERAGE = (
    select(
        annotations.c.source,
        func.count().filter(annotations.c.state == "found").label("found"),
        func.count().filter(annotations.c.state == "absent").label("absent"),
        func.count().filter(annotations.c.state == "unknown").label("unknown"),
        func.count().filter(annotations.c.checked_state == "unknown").label("unanswered"),
        cast(extract("epoch", func.min(annotations.c.checked_at)), Double).label("oldest"),
        cast(
            extract("epoch", func.percentile_disc(0.5).within_group(annotations.c.checked_at)),
            Double,
        ).label("median"),
    )
    .select_from(annotations.join(genes, genes.c.id == annotations.c.gene_id))
    .where(genes.c.withdrawn_at.is_(None))
    .group_by(annotations.c.source)
)

_GENES = text("SELECT count(*) FROM genes WHERE withdrawn_at IS NULL")

# One index lookup for each source, instead of a scan of the sources of all runs.
_SUCCEEDED = text(
    """
    WITH RECURSIVE named AS (
      (SELECT source FROM run_sources ORDER BY source LIMIT 1)
      UNION ALL
      SELECT (SELECT s.source FROM run_sources s WHERE s.source > named.source
              ORDER BY s.source LIMIT 1)
      FROM named WHERE named.source IS NOT NULL
    )
    SELECT source, extract(epoch FROM max(at))::float8 AS at FROM (
      SELECT named.source, latest.at FROM named CROSS JOIN LATERAL (
        SELECT max(finished_at) AS at FROM run_sources s
        WHERE s.source = named.source AND s.state = 'succeeded') latest
      UNION ALL
      -- by runs that were removed
      SELECT source, succeeded_at FROM source_totals
    ) succeeded WHERE at IS NOT NULL GROUP BY source
    """
)

# A source is held if the latest run that finished it held it. The index is used as above.
_HELD = text(
    """
    WITH RECURSIVE named AS (
      (SELECT source FROM run_sources ORDER BY source LIMIT 1)
      UNION ALL
      SELECT (SELECT s.source FROM run_sources s WHERE s.source > named.source
              ORDER BY s.source LIMIT 1)
      FROM named WHERE named.source IS NOT NULL
    )
    SELECT named.source, latest.run_id, coalesce(latest.error, '') AS reason
    FROM named CROSS JOIN LATERAL (
      SELECT state, run_id, error FROM run_sources s
      WHERE s.source = named.source AND s.state IN ('succeeded', 'failed', 'held')
      ORDER BY s.run_id DESC LIMIT 1) latest
    WHERE latest.state = 'held' ORDER BY named.source
    """
)


async def count_genes(connection: AsyncConnection) -> int:
    """Return the number of genes that are not withdrawn."""
    genes: int = (await connection.execute(_GENES)).scalar_one()
    return genes


async def coverage(
    connection: AsyncConnection, sources: Collection[str] | None = None
) -> dict[str, Coverage]:
    """Return the coverage by source. Sources without annotations are omitted.

    Args:
        connection: the database connection.
        sources: the names of the sources; None means all.
    """
    statement = _COVERAGE
    if sources is not None:
        statement = statement.where(annotations.c.source.in_(sources))
    result = await connection.execute(statement)
    return {
        row["source"]: Coverage(**{k: v for k, v in row.items() if k != "source"})
        for row in result.mappings()
    }


async def last_successes(connection: AsyncConnection) -> dict[str, float]:
    """Return when a run last refreshed each source successfully, in seconds since 1970."""
    result = await connection.execute(_SUCCEEDED)
    return {row.source: row.at for row in result}


async def held_sources(connection: AsyncConnection) -> dict[str, Held]:
    """Return the held answers by source, for the sources whose latest answers are held."""
    rows = await connection.execute(_HELD)
    return {row.source: Held(run_id=row.run_id, reason=row.reason) for row in rows}
