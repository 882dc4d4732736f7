"""Pages of genes: which genes, in which order."""

import functools
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.gene_filter import Filter, matching
from app.annotation.data.gene_order import IMPORTED, GeneOrder, beyond, directed, with_keys
from app.annotation.data.genes import genes_at
from app.annotation.data.moments import Moment
from app.annotation.data.reading import genes_and_answers, read_page
from app.annotation.data.shapes import Gene
from app.annotation.data.wanted import Wanted
from app.core.errors import WrongUse


async def gene_page(
    connection: AsyncConnection,
    wanted: Wanted,
    chosen: Filter,
    *,
    order: GeneOrder = IMPORTED,
    after: int | None = None,
    limit: int,
) -> tuple[list[Gene], int | None]:
    """Return a page of genes.

    Args:
        connection: to read from.
        wanted: what comes back of each gene.
        chosen: which genes.
        order: of the genes.
        after: the id of the last gene of the page before; None for the first page. In the order of
            import, there need not be a gene with this id.
        limit: the most genes.

    Returns:
        The genes, and ``after`` of the next page, which is None if there is none.

    Raises:
        WrongUse: in this order there is no gene with the id ``after``.
    """
    values: dict[str, Any] = {}
    if after is not None:
        values |= await _keys_of(connection, wanted.moment, order, after)
    has_value = values.get("key_0") is not None
    query = _page(wanted, chosen, order, is_first=after is None, has_value=has_value)
    found = [*(await read_page(connection, query, {**values, "limit": limit})).values()]
    return found, found[-1].id if len(found) == limit else None


# composing the statement of a page takes longer than reading a small one
@functools.lru_cache(maxsize=256)
def _page(
    wanted: Wanted, chosen: Filter, order: GeneOrder, *, is_first: bool, has_value: bool
) -> Select[Any]:
    genes = genes_at(wanted.moment)
    rows, keys = with_keys(genes, wanted.moment, order)
    query = (
        select(genes, *(key.label(f"key_{at}") for at, key in enumerate(keys)))
        .select_from(rows)
        .where(*matching(genes, wanted.moment, chosen))
        .order_by(*directed(order, keys))
        .limit(bindparam("limit", type_=BigInteger))
    )
    if not is_first:
        query = query.where(beyond(order, keys, has_value=has_value))
    found = query.subquery("chosen")
    # numbered when the genes are chosen: to number all genes, PostgreSQL would have to sort them
    found_keys = tuple(found.c[f"key_{at}"] for at in range(len(keys)))
    place = func.row_number().over(order_by=directed(order, found_keys)).label("place")
    return genes_and_answers(select(found, place).subquery("page"), wanted)


async def _keys_of(
    connection: AsyncConnection, moment: Moment, order: GeneOrder, gene_id: int
) -> dict[str, Any]:
    """Return the keys of the gene with which the page before ended."""
    if order.by == "import":
        return {"key_0": gene_id}
    genes = genes_at(moment)
    rows, keys = with_keys(genes, moment, order)
    query = select(*keys).select_from(rows).where(genes.c.id == gene_id)
    found = (await connection.execute(query)).first()
    if found is None:
        raise WrongUse(f"after={gene_id}", allowed="next_after of the page before")
    return {f"key_{at}": value for at, value in enumerate(found)}
