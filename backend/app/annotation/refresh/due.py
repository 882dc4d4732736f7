"""Reads the genes that a run still has to ask a source about."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Interval,
    Text,
    all_,
    and_,
    any_,
    bindparam,
    column,
    func,
    not_,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.former import with_former_names
from app.annotation.sources.answers import Gene
from app.annotation.sources.base import ApiSource, Source
from app.annotation.sources.declaration import SourceInfo
from app.annotation.upstream.settings import UpstreamSettings
from app.core.runs.attempt import Attempt
from app.db.tables import annotations, genes, origins, source_releases

GENES_PER_PAGE = 1_000
"""The number of genes in a page."""

_GENES = bindparam("genes", type_=ARRAY(Text))


def _is_due(
    *,
    parser: ColumnElement[str],
    unknown_is_final: ColumnElement[bool],
    markers: ColumnElement[Any],
    freshness: ColumnElement[timedelta],
) -> ColumnElement[bool]:
    """Return the condition that a gene with an answer is due.

    The gene is due when everything is refreshed; when another version of the source made the
    answer; when the gene's identifiers have changed since; when its last check is unknown; when its
    answer is of another release than the current ones, or stale if these are not known; and when
    its answer is dated in the future, because a clock that was ahead wrote the date. What a file
    does not tell stays unknown until the file changes. A rollback can make a stored answer unknown
    although its last check was not. Such a gene is due only at another release.

    Args:
        parser: see :class:`Rules`, as the others.
        unknown_is_final: whether the same release would give the same unknown answers.
        markers: the markers of the current releases; null if they are not known.
        freshness: the age from which an answer is stale.
    """
    is_current = origins.c.marker == any_(markers)
    is_former = origins.c.marker != all_(markers)
    checked_at = annotations.c.checked_at
    return or_(
        bindparam("everything", type_=Boolean),
        origins.c.parser != parser,
        genes.c.updated_at > checked_at,
        and_(annotations.c.checked_state == "unknown", not_(and_(unknown_is_final, is_current))),
        func.coalesce(is_former, checked_at < func.now() - freshness),
        checked_at > func.now() + timedelta(minutes=1),
    )


# a withdrawn gene is never due, and any other one without an annotation is
_DUE = (
    select(genes.c.id, genes.c.hgnc_id, genes.c.symbol, genes.c.ensembl_gene_id, genes.c.entrez_id)
    .select_from(
        genes.outerjoin(
            annotations,
            and_(
                annotations.c.gene_id == genes.c.id,
                annotations.c.source == bindparam("source", type_=Text),
            ),
        ).outerjoin(origins, origins.c.id == annotations.c.checked_origin_id)
    )
    .where(
        genes.c.withdrawn_at.is_(None),
        or_(_GENES.is_(None), genes.c.hgnc_id.in_(select(func.unnest(_GENES)))),
        or_(
            annotations.c.gene_id.is_(None),
            and_(
                # a run's own answers are not due again
                annotations.c.checked_run_id.is_distinct_from(
                    bindparam("run_id", type_=BigInteger)
                ),
                _is_due(
                    parser=bindparam("parser", type_=Text),
                    unknown_is_final=bindparam("unknown_is_final", type_=Boolean),
                    markers=bindparam("markers", type_=ARRAY(Text)),
                    freshness=bindparam("freshness", type_=Interval),
                ),
            ),
        ),
    )
)

_DUE_COUNT = select(func.count()).select_from(_DUE.subquery())

_DUE_PAGE = (
    _DUE.where(genes.c.id > bindparam("after", type_=BigInteger))
    .order_by(genes.c.id)
    .limit(bindparam("page", type_=Integer))
)

_RULES = (
    func.unnest(
        bindparam("sources", type_=ARRAY(Text)),
        bindparam("parsers", type_=ARRAY(Text)),
        bindparam("freshness", type_=ARRAY(Interval)),
        bindparam("final", type_=ARRAY(Boolean)),
    )
    .table_valued(
        column("source", Text),
        column("parser", Text),
        column("freshness", Interval),
        column("unknown_is_final", Boolean),
    )
    .render_derived(name="rules")
)

_KNOWN = (
    select(func.array_agg(source_releases.c.marker).label("markers"))
    .where(source_releases.c.source == _RULES.c.source)
    .lateral("known")
)

_DUE_AGAIN = (
    select(_RULES.c.source, func.count().label("genes"))
    .select_from(
        _RULES.join(_KNOWN, true())
        .join(annotations, annotations.c.source == _RULES.c.source)
        .join(genes, genes.c.id == annotations.c.gene_id)
        .outerjoin(origins, origins.c.id == annotations.c.checked_origin_id)
    )
    .where(
        genes.c.withdrawn_at.is_(None),
        annotations.c.source == any_(bindparam("sources", type_=ARRAY(Text))),
        _is_due(
            parser=_RULES.c.parser,
            unknown_is_final=_RULES.c.unknown_is_final,
            markers=_KNOWN.c.markers,
            freshness=_RULES.c.freshness,
        ),
    )
    .group_by(_RULES.c.source)
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
        source: the name of the source.
        everything: whether genes with a current answer are due, too.
        freshness: the age from which an answer is stale.
        parser: the source's parser version.
        markers: the markers of the current releases; None if they are not known.
        unknown_is_final: whether the same release would give the same unknown answers.
        genes: the HGNC ids that the run is limited to; None means all genes.
        run_id: the run. Genes that it has asked about are not due again. None means no run.
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
        kind: type[Source],
        info: SourceInfo,
        settings: UpstreamSettings,
        markers: list[str] | None,
        *,
        everything: bool,
        genes: list[str] | None,
        run_id: int | None = None,
    ) -> "Rules":
        """Return the rules for a source whose current releases have these markers."""
        return cls(
            info.name,
            everything=everything,
            freshness=info.freshness,
            parser=kind.parser_version(settings),
            markers=markers,
            unknown_is_final=not issubclass(kind, ApiSource),
            genes=genes,
            run_id=run_id,
        )


async def count_due(connection: AsyncConnection, rules: Rules) -> int:
    """Return how many genes are due."""
    found: int = (await connection.execute(_DUE_COUNT, asdict(rules))).scalar_one()
    return found


async def count_due_again(connection: AsyncConnection, rules: Sequence[Rules]) -> dict[str, int]:
    """Return how many genes with an answer are due, by source, for the last known releases.

    The statement scans all annotations once. Genes without an answer are due as well, but not
    counted.

    Args:
        connection: the database connection.
        rules: the rules of the sources. Their markers are ignored.
    """
    values = {
        "everything": False,
        "sources": [rule.source for rule in rules],
        "parsers": [rule.parser for rule in rules],
        "freshness": [rule.freshness for rule in rules],
        "final": [rule.unknown_is_final for rule in rules],
    }
    return {row.source: row.genes for row in await connection.execute(_DUE_AGAIN, values)}


async def confirm(connection: AsyncConnection, rules: Rules) -> tuple[int, int]:
    """Mark stale answers as checked if their release is still current, without asking again.

    Args:
        connection: the connection of the attempt's transaction.
        rules: the rules of the source.

    Returns:
        The number of found and of absent answers that were kept.
    """
    if rules.everything or rules.markers is None:
        return 0, 0
    row = (await connection.execute(_CONFIRM, asdict(rules))).one()
    return row.found, row.absent


@dataclass(frozen=True, slots=True)
class Due:
    """The genes that are due for a source in an attempt.

    Args:
        attempt: the attempt, whose connection reads the genes.
        rules: the rules that decide which genes are due.
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
            values = asdict(self.rules) | {"after": after, "page": GENES_PER_PAGE}
            async with self.attempt.reading() as connection:
                rows = await connection.execute(_DUE_PAGE, values)
                page = await with_former_names(connection, [Gene(*row) for row in rows])
            if page:
                yield page
            if len(page) < GENES_PER_PAGE:
                return
            after = page[-1].id
