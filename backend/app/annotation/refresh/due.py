"""Reads the genes that a run still has to ask a source about."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.former import with_former_names
from app.annotation.sources.answers import Gene
from app.annotation.sources.base import ApiSource, Source
from app.core.runs.attempt import Attempt

PAGE = 1_000
"""The number of genes that are read at a time."""

# A withdrawn gene is never due, and any other one without an annotation is. A gene that this run
# has not asked about yet is due when everything is refreshed; when another version of the source
# made its answer; when its identifiers have changed since; when its last check is unknown; when it
# is of another release than the current ones, or stale if these are not known; and when its answer
# is dated in the future, because a clock that was ahead wrote the date. What a file does not tell
# stays unknown until the file changes. An answer that a rollback made unknown was checked well: it
# waits for another release.
_IS_DUE = """
    (:everything OR o.parser <> {parser} OR g.updated_at > a.checked_at
     OR (a.checked_state = 'unknown' AND NOT ({unknown_is_final} AND o.marker = ANY({markers})))
     OR coalesce(o.marker <> ALL(CAST({markers} AS text[])),
                 a.checked_at < now() - CAST({freshness} AS interval))
     OR a.checked_at > now() + interval '1 minute')
    """

_OF_THE_RULES = {
    "parser": ":parser",
    "unknown_is_final": ":unknown_is_final",
    "markers": ":markers",
    "freshness": ":freshness",
}

_DUE = f"""
    FROM genes g LEFT JOIN annotations a ON a.gene_id = g.id AND a.source = :source
      LEFT JOIN origins o ON o.id = a.checked_origin_id
    WHERE g.withdrawn_at IS NULL
      AND (CAST(:genes AS text[]) IS NULL
           OR g.hgnc_id IN (SELECT unnest(CAST(:genes AS text[]))))
      AND (a.gene_id IS NULL OR (
        a.checked_run_id IS DISTINCT FROM :run_id
        AND {_IS_DUE.format_map(_OF_THE_RULES)}))
    """

_DUE_COUNT = text(f"SELECT count(*) {_DUE}")

_DUE_PAGE = text(
    f"""
    SELECT g.id, g.hgnc_id, g.symbol, g.ensembl_gene_id, g.entrez_id
    {_DUE} AND g.id > :after
    ORDER BY g.id LIMIT :page
    """
)

_DUE_AGAIN = text(
    f"""
    SELECT w.source, count(*) AS genes
    FROM unnest(CAST(:sources AS text[]), CAST(:parsers AS text[]), CAST(:freshness AS interval[]),
        CAST(:final AS boolean[])) AS w (source, parser, freshness, unknown_is_final)
      LEFT JOIN LATERAL (SELECT array_agg(marker) AS markers FROM source_releases r
        WHERE r.source = w.source) known ON true
      JOIN annotations a ON a.source = w.source
      JOIN genes g ON g.id = a.gene_id AND g.withdrawn_at IS NULL
      LEFT JOIN origins o ON o.id = a.checked_origin_id
    WHERE a.source = ANY(CAST(:sources AS text[])) AND {
        _IS_DUE.format_map(
            {
                "parser": "w.parser",
                "unknown_is_final": "w.unknown_is_final",
                "markers": "known.markers",
                "freshness": "w.freshness",
            }
        )
    }
    GROUP BY w.source
    """
)

_CONFIRM = text(
    """
    WITH confirmed AS (
      UPDATE annotations a SET checked_at = now(), checked_run_id = :run_id
      FROM origins o, genes g
      WHERE a.source = :source AND o.id = a.checked_origin_id AND g.id = a.gene_id
        AND g.withdrawn_at IS NULL
        AND a.checked_run_id IS DISTINCT FROM :run_id
        AND a.checked_state <> 'unknown' AND a.state <> 'unknown' AND o.parser = :parser
        AND g.updated_at <= a.checked_at
        AND o.marker = ANY(CAST(:markers AS text[]))
        AND a.checked_at < now() - CAST(:freshness AS interval)
        AND (CAST(:genes AS text[]) IS NULL
             OR g.hgnc_id IN (SELECT unnest(CAST(:genes AS text[]))))
      RETURNING a.state)
    SELECT count(*) FILTER (WHERE state = 'found') AS found,
           count(*) FILTER (WHERE state = 'absent') AS absent
    FROM confirmed
    """
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What makes a gene due for a source.

    Args:
        source: its name.
        everything: whether genes with a current answer are due, too.
        freshness: the age from which an answer is stale.
        parser: the version of what the source makes of an answer.
        markers: of the current releases; None if they are not known.
        unknown_is_final: whether the same release would give the same unknown answers again.
        genes: the HGNC ids that the run is limited to; None means all genes.
        run_id: the run, whose own answers are not due again; None for no run.
    """

    source: str
    everything: bool
    freshness: timedelta
    parser: str
    markers: list[str] | None
    unknown_is_final: bool
    genes: list[str] | None
    run_id: int | None = None

    @classmethod
    def of(
        cls,
        source: Source,
        markers: list[str] | None,
        *,
        everything: bool,
        genes: list[str] | None,
        run_id: int | None = None,
    ) -> "Rules":
        """Return the rules for a source, whose current releases have these markers."""
        return cls(
            source.info.name,
            everything=everything,
            freshness=source.info.freshness,
            parser=source.parser_version(),
            markers=markers,
            unknown_is_final=not isinstance(source, ApiSource),
            genes=genes,
            run_id=run_id,
        )


async def count_due(connection: AsyncConnection, rules: Rules) -> int:
    """Return how many genes are due."""
    found: int = (await connection.execute(_DUE_COUNT, asdict(rules))).scalar_one()
    return found


async def count_due_again(connection: AsyncConnection, rules: Sequence[Rules]) -> dict[str, int]:
    """Return how many genes with an answer are due, by source, as of the releases seen last.

    It takes one pass over all annotations. Genes without an answer are due as well.

    Args:
        connection: to read from.
        rules: of the sources. Their markers do not count.
    """
    values = {
        "everything": False,
        "sources": [each.source for each in rules],
        "parsers": [each.parser for each in rules],
        "freshness": [each.freshness for each in rules],
        "final": [each.unknown_is_final for each in rules],
    }
    return {row.source: row.genes for row in await connection.execute(_DUE_AGAIN, values)}


async def confirm(connection: AsyncConnection, rules: Rules) -> tuple[int, int]:
    """Keep the stale answers whose release is still the current one, without asking again.

    Args:
        connection: in the attempt's transaction.
        rules: of the source.

    Returns:
        How many found and how many absent answers were kept.
    """
    if rules.everything or rules.markers is None:
        return 0, 0
    row = (await connection.execute(_CONFIRM, asdict(rules))).one()
    return row.found, row.absent


@dataclass(frozen=True, slots=True)
class Due:
    """The genes that are due for a source in an attempt.

    Args:
        attempt: to read with.
        rules: that tell which genes are due.
    """

    attempt: Attempt
    rules: Rules

    async def count(self) -> int:
        """Return how many genes are due."""
        async with self.attempt.reading() as connection:
            return await count_due(connection, self.rules)

    async def pages(self) -> AsyncIterator[list[Gene]]:
        """Read the genes page by page, so that memory does not grow with their number."""
        after = 0
        while True:
            values = asdict(self.rules) | {"after": after, "page": PAGE}
            async with self.attempt.reading() as connection:
                rows = await connection.execute(_DUE_PAGE, values)
                page = await with_former_names(connection, [Gene(*row) for row in rows])
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1].id
