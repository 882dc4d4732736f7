"""Pages of genes: which genes, in which order."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    bindparam,
    exists,
    func,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.conditions import Condition, parse_conditions, satisfied
from app.annotation.data.genes import genes_at
from app.annotation.data.lists import in_list, list_members
from app.annotation.data.moments import Moment, clock, parse_start
from app.annotation.data.reading import genes_and_answers, read_page
from app.annotation.data.shapes import Gene
from app.annotation.data.versions import answers_at
from app.annotation.data.wanted import Wanted, known_fields, require_sources, unknown_name
from app.core.errors import WrongUse

STATES = ("found", "absent", "unknown")

ORDERS = ("import", "symbol", "hgnc_id", "-import", "-symbol", "-hgnc_id")
"""The orders of genes; with a minus, descending."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which genes; all of it has to be true.

    Attributes:
        source: with an answer of this source.
        state: with this state of the answer of ``source``.
        changed_since: with an answer, of ``source`` if it is given, that is not older: it changed
            since this time, or is the first one.
        list_id: in this list.
        conditions: whose answers satisfy these.
    """

    source: str | None = None
    state: str | None = None
    changed_since: datetime | None = None
    list_id: int | None = None
    conditions: tuple[Condition, ...] = ()


async def find_filter(
    connection: AsyncConnection,
    *,
    source: str | None = None,
    state: str | None = None,
    changed_since: str | None = None,
    list_name: str | None = None,
    where: Sequence[str] = (),
) -> Filter:
    """Return the filter that somebody typed.

    Raises:
        WrongUse: a part of it is not possible.
        NotFound: there is no such list.
    """
    if source is not None:
        await require_sources(connection, [source])
    if state is not None:
        if source is None:
            raise WrongUse("state is given without source", allowed="both, such as source=clinvar")
        if state not in STATES:
            raise unknown_name("state", state, STATES)
    since = None
    if changed_since is not None:
        since = parse_start("changed_since", changed_since, await clock(connection))
    list_id = None if list_name is None else await list_members(connection, list_name)
    conditions: tuple[Condition, ...] = ()
    if where:
        known = await known_fields(connection, where)
        conditions = tuple(parse_conditions(where, known))
    return Filter(source, state, since, list_id, conditions)


async def gene_page(
    connection: AsyncConnection,
    wanted: Wanted,
    chosen: Filter,
    *,
    order: str = "import",
    after: int | None = None,
    limit: int,
) -> tuple[list[Gene], int | None]:
    """Return a page of genes.

    Args:
        connection: to read from.
        wanted: what comes back of each gene.
        chosen: which genes.
        order: one of :data:`ORDERS`.
        after: the id of the last gene of the page before; None for the first page. In the order of
            import, there need not be a gene with this id.
        limit: the most genes.

    Returns:
        The genes, and ``after`` of the next page, which is None if there is none.

    Raises:
        WrongUse: there is no such order, or in it no gene with the id ``after``.
    """
    if order not in ORDERS:
        raise unknown_name("order", order, ORDERS)
    values: dict[str, Any] = {"limit": limit}
    if after is not None:
        values |= await _key_of(connection, wanted.moment, order.removeprefix("-"), after)
    query = _page(wanted, chosen, order, is_first=after is None)
    found = [*(await read_page(connection, query, values)).values()]
    return found, found[-1].id if len(found) == limit else None


# composing the statement of a page takes longer than reading a small one
@functools.lru_cache(maxsize=256)
def _page(wanted: Wanted, chosen: Filter, order: str, *, is_first: bool) -> Select[Any]:
    genes = genes_at(wanted.moment)
    key = _key(genes, order.removeprefix("-"))
    directed = [part.desc() for part in key] if order.startswith("-") else key
    place = func.row_number().over(order_by=directed).label("place")
    query = select(genes, place).where(*_conditions(genes, wanted.moment, chosen))
    if not is_first:
        bound = tuple_(*(bindparam(f"key_{at}", type_=part.type) for at, part in enumerate(key)))
        mine = tuple_(*key)
        query = query.where(mine < bound if order.startswith("-") else mine > bound)
    page = query.order_by(*directed).limit(bindparam("limit", type_=BigInteger))
    return genes_and_answers(page.subquery("page"), wanted)


def _key(genes: Subquery, by: str) -> list[ColumnElement[Any]]:
    if by == "symbol":
        return [func.lower(genes.c.symbol), genes.c.id]
    if by == "hgnc_id":
        # as numbers: HGNC:99 stands before HGNC:100
        return [func.length(genes.c.hgnc_id), genes.c.hgnc_id]
    return [genes.c.id]


async def _key_of(
    connection: AsyncConnection, moment: Moment, by: str, gene_id: int
) -> dict[str, Any]:
    """Return the values of the key of the gene with which the page before ended."""
    if by == "import":
        return {"key_0": gene_id}
    genes = genes_at(moment)
    found = (
        await connection.execute(select(*_key(genes, by)).where(genes.c.id == gene_id))
    ).first()
    if found is None:
        raise WrongUse(f"after={gene_id}", allowed="next_after of the page before")
    return {f"key_{at}": value for at, value in enumerate(found)}


def _conditions(genes: Subquery, moment: Moment, chosen: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.source is not None or chosen.changed_since is not None:
        answers = answers_at(moment, "chosen")
        asked = [answers.c.gene_id == genes.c.id]
        if chosen.source is not None:
            asked.append(answers.c.source == chosen.source)
        if chosen.state is not None:
            asked.append(answers.c.state == chosen.state)
        if chosen.changed_since is not None:
            asked.append(answers.c.valid_from >= chosen.changed_since)
        found.append(exists().where(*asked))
    if chosen.list_id is not None:
        found.append(in_list(chosen.list_id, genes.c.id))
    if chosen.conditions:
        found.append(satisfied(chosen.conditions, moment, genes.c.id))
    return found
