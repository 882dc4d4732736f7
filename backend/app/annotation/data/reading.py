"""Reads any number of genes with their answers in one statement."""

import asyncio
import functools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.cuts import cut
from app.annotation.data.genes import genes_at
from app.annotation.data.selection import Selection
from app.annotation.data.shapes import Answer, Gene, Origin, raw
from app.annotation.data.versions import answers_at
from app.annotation.sources import SOURCES
from app.db.tables import origins, own_tables

_LICENCES = {name: source.info.licence for name, source in SOURCES.items()}

_ROWS_AT_ONCE = 2_000
"""The number of rows after which the event loop may run other tasks."""


async def read_genes(
    connection: AsyncConnection, gene_ids: Sequence[int], selection: Selection
) -> dict[int, Gene]:
    """Return genes with their answers by id. Genes that were missing at the moment are omitted.

    Args:
        connection: the database connection.
        gene_ids: the ids of the genes.
        selection: the selection of answers to read.
    """
    if len(gene_ids) == 1:
        return await _read(connection, _one(selection), {"gene_id": gene_ids[0]})
    return await _read(connection, _several(selection), {"gene_ids": gene_ids})


async def _read(
    connection: AsyncConnection, query: Select[Any], values: dict[str, Any]
) -> dict[int, Gene]:
    found: dict[int, Gene] = {}
    rows = (await connection.execute(query, values)).all()
    for number, (
        gene_id, hgnc_id, symbol, ensembl_gene_id, entrez_id, withdrawn_at, successor,
        source, state, data, release, valid_from, fetched_at, checked_state, checked_at, reason,
        run_id, files, parser, own_licence,
    ) in enumerate(rows):  # fmt: skip
        if number % _ROWS_AT_ONCE == _ROWS_AT_ONCE - 1:
            await asyncio.sleep(0)
        gene = found.get(gene_id)
        if gene is None:
            gene = found[gene_id] = Gene(
                gene_id,
                hgnc_id,
                symbol,
                ensembl_gene_id,
                entrez_id,
                raw(withdrawn_at),
                raw(successor),
                {},
            )
        if source is not None:
            gene.annotations[source] = Answer(
                state,
                raw(data),
                release,
                raw(valid_from),  # type: ignore[arg-type]  # never null
                raw(fetched_at),
                checked_state,
                raw(checked_at),
                reason,
                None if parser is None else Origin(run_id, raw(files), parser),  # type: ignore[arg-type]  # never null
                _LICENCES.get(source, own_licence),
            )
    for gene in found.values():
        gene.annotations = dict(sorted(gene.annotations.items()))
    return found


def _genes_and_answers(genes: Subquery, selection: Selection) -> Select[Any]:
    """Select genes with their answers: one row for each answer, and one for a gene without answers.

    The rows are not sorted: to sort them, PostgreSQL would write all data to a temporary file.
    """
    answers = answers_at(selection.moment)
    successors = genes_at(selection.moment, "successors")
    its = and_(answers.c.gene_id == genes.c.id, *of_sources(answers.c.source, selection))
    own = _own_files()
    its_file = and_(
        own.c.name == answers.c.source, own.c.digest == origins.c.files[0]["sha256"].astext
    )
    return select(
        genes.c.id,
        genes.c.hgnc_id,
        genes.c.symbol,
        genes.c.ensembl_gene_id,
        genes.c.entrez_id,
        json_text(genes.c.withdrawn_at),
        _named(successors),
        answers.c.source,
        answers.c.state,
        cast(cut(answers.c.data, answers.c.source, selection.fields), Text),
        answers.c.release,
        json_text(answers.c.valid_from),
        json_text(answers.c.fetched_at),
        answers.c.checked_state,
        json_text(answers.c.checked_at),
        answers.c.reason,
        answers.c.run_id,
        cast(origins.c.files, Text),
        origins.c.parser,
        own.c.licence,
    ).select_from(
        genes.outerjoin(successors, successors.c.id == genes.c.successor_id)
        .outerjoin(answers, its)
        .outerjoin(origins, origins.c.id == answers.c.origin_id)
        .outerjoin(own, its_file)
    )


def _own_files() -> Subquery:
    """Select the files of own tables, including replaced ones, with their last licence."""
    return (
        select(own_tables.c.name, own_tables.c.digest, own_tables.c.licence)
        .ext(distinct_on(own_tables.c.name, own_tables.c.digest))
        .order_by(own_tables.c.name, own_tables.c.digest, own_tables.c.id.desc())
        .subquery("own")
    )


def of_sources(source: ColumnElement[str], selection: Selection) -> list[ColumnElement[bool]]:
    """Return the SQL condition on the selected sources; empty if all are selected."""
    if selection.sources is None:
        return []
    return [source == any_(literal(list(selection.sources), ARRAY(Text)))]


def json_text(value: ColumnElement[Any]) -> ColumnElement[str]:
    """Return a value as JSON text; null stays null."""
    return cast(func.to_json(value), Text)


def _named(genes: Subquery) -> ColumnElement[str]:
    """Return a gene as JSON; see `genes.resolve.NamedGene`."""
    columns = select(genes.c.hgnc_id, genes.c.symbol, genes.c.id, genes.c.withdrawn_at)
    named = columns.correlate(genes).subquery("named")
    one = select(json_text(named.table_valued())).scalar_subquery()
    return case((genes.c.id.is_not(None), one))


# PostgreSQL caches the plan of this statement. It plans the statement for several genes every time,
# because that plan depends on their number. Composing a statement takes longer than executing it,
# so composed ones are cached.
@functools.lru_cache(maxsize=256)
def _one(selection: Selection) -> Select[Any]:
    genes = genes_at(selection.moment)
    return _chosen(genes, genes.c.id == bindparam("gene_id", type_=BigInteger), selection)


@functools.lru_cache(maxsize=256)
def _several(selection: Selection) -> Select[Any]:
    genes = genes_at(selection.moment)
    any_id = any_(bindparam("gene_ids", type_=ARRAY(BigInteger)))
    return _chosen(genes, genes.c.id == any_id, selection)


def _chosen(genes: Subquery, which: ColumnElement[bool], selection: Selection) -> Select[Any]:
    return _genes_and_answers(select(genes).where(which).subquery("page"), selection)
