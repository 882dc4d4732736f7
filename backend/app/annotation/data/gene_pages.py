"""Reads genes page by page, filtered and sorted."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.gene_filter import Filter, matching
from app.annotation.data.gene_order import IMPORTED, GeneOrder, beyond, directed, with_keys
from app.annotation.data.genes import genes_at
from app.annotation.data.moments import Moment
from app.annotation.data.reading import read_genes
from app.annotation.data.selection import Selection
from app.annotation.data.shapes import Gene
from app.core.errors import WrongUse


@dataclass(frozen=True, slots=True)
class GenesPage:
    """A page of genes.

    Attributes:
        genes: the genes in the sort order.
        next_after: ``after`` of the next page; None if there is no next page.
        total: the number of genes on all pages; None if not requested.
    """

    genes: Sequence[Gene]
    next_after: int | None
    total: int | None


async def gene_page(
    connection: AsyncConnection,
    selection: Selection,
    chosen: Filter,
    *,
    order: GeneOrder = IMPORTED,
    after: int | None = None,
    limit: int,
    counted: bool = False,
) -> GenesPage:
    """Return a page of genes.

    Args:
        connection: the database connection.
        selection: the selection of answers to read.
        chosen: the filter of genes.
        order: the order of the genes.
        after: the id of the last gene of the previous page; None for the first page. In the order
            of import, this gene need not exist.
        limit: the maximum number of genes.
        counted: whether to count the genes on all pages. Only the first page can be counted.

    Raises:
        WrongUse: no gene has the id ``after``.
    """
    assert after is None or not counted
    values: dict[str, Any] = {}
    if after is not None:
        values = await _keys_of(connection, selection.moment, order, after)
    has_value = values.get("key_0") is not None
    query = _ids(
        selection.moment,
        chosen,
        order,
        is_first=after is None,
        has_value=has_value,
        counted=counted,
    )
    rows = (await connection.execute(query, {**values, "limit": limit})).all()
    ids = [row.id for row in rows]
    found = await read_genes(connection, ids, selection) if ids else {}
    return GenesPage(
        # a gene may have been removed meanwhile
        [found[gene_id] for gene_id in ids if gene_id in found],
        ids[-1] if len(ids) == limit else None,
        (rows[0].total if rows else 0) if counted else None,
    )


# composing the statement takes longer than executing it for a small page
@functools.lru_cache(maxsize=256)
def _ids(
    moment: Moment,
    chosen: Filter,
    order: GeneOrder,
    *,
    is_first: bool,
    has_value: bool,
    counted: bool,
) -> Select[Any]:
    genes = genes_at(moment)
    rows, keys = with_keys(genes, moment, order)
    query = (
        select(genes.c.id)
        .select_from(rows)
        .where(*matching(genes, moment, chosen))
        .order_by(*directed(order, keys))
        .limit(bindparam("limit", type_=BigInteger))
    )
    if counted:
        query = query.add_columns(func.count().over().label("total"))
    return query if is_first else query.where(beyond(order, keys, has_value=has_value))


async def _keys_of(
    connection: AsyncConnection, moment: Moment, order: GeneOrder, gene_id: int
) -> dict[str, Any]:
    """Return the sort keys of the last gene of the previous page."""
    if order.by == "import":
        return {"key_0": gene_id}
    genes = genes_at(moment)
    rows, keys = with_keys(genes, moment, order)
    query = select(*keys).select_from(rows).where(genes.c.id == gene_id)
    found = (await connection.execute(query)).first()
    if found is None:
        raise WrongUse(f"after={gene_id}", allowed="next_after of the previous page")
    return {f"key_{at}": value for at, value in enumerate(found)}
