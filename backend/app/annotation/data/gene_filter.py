"""Filters genes by their names and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, Text, exists, func, literal
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.conditions import Condition, parse_conditions, satisfied
from app.annotation.data.lists import in_list, list_members
from app.annotation.data.moments import Moment, clock, parse_start
from app.annotation.data.selection import (
    known_fields,
    require_sources,
    require_storable,
    unknown_name,
)
from app.annotation.data.versions import answers_at
from app.core.errors import WrongUse

STATES = ("found", "absent", "unknown")


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of genes. A gene must meet all conditions.

    Attributes:
        source: the gene has an answer of this source.
        state: the answer of ``source`` has this state.
        changed_since: an answer, of ``source`` if given, became valid at or after this time.
        prefix: the symbol begins with this text, in any case.
        list_id: the gene is on this list.
        conditions: the answers satisfy these conditions.
    """

    source: str | None = None
    state: str | None = None
    changed_since: datetime | None = None
    prefix: str | None = None
    list_id: int | None = None
    conditions: tuple[Condition, ...] = ()


async def find_filter(
    connection: AsyncConnection,
    *,
    source: str | None = None,
    state: str | None = None,
    changed_since: str | None = None,
    prefix: str | None = None,
    list_name: str | None = None,
    where: Sequence[str] = (),
) -> Filter:
    """Return a filter from typed parameters.

    Raises:
        WrongUse: a parameter is not valid.
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
    if prefix is not None:
        require_storable(prefix)
    list_id = None if list_name is None else await list_members(connection, list_name)
    conditions: tuple[Condition, ...] = ()
    if where:
        known = await known_fields(connection, where)
        conditions = tuple(parse_conditions(where, known))
    return Filter(source, state, since, prefix, list_id, conditions)


def matching(genes: Subquery, moment: Moment, chosen: Filter) -> list[ColumnElement[bool]]:
    """Return the SQL conditions of a filter.

    Args:
        genes: see `genes.genes_at`.
        moment: when the answers were valid.
        chosen: the filter.
    """
    found: list[ColumnElement[bool]] = []
    if chosen.source is not None or chosen.changed_since is not None:
        answers = answers_at(moment, "chosen")
        conditions = [answers.c.gene_id == genes.c.id]
        if chosen.source is not None:
            conditions.append(answers.c.source == chosen.source)
        if chosen.state is not None:
            conditions.append(answers.c.state == chosen.state)
        if chosen.changed_since is not None:
            conditions.append(answers.c.valid_from >= chosen.changed_since)
        found.append(exists().where(*conditions))
    if chosen.prefix is not None:
        begins = func.lower(literal(chosen.prefix, Text))
        found.append(func.starts_with(func.lower(genes.c.symbol), begins))
    if chosen.list_id is not None:
        found.append(in_list(chosen.list_id, genes.c.id))
    if chosen.conditions:
        found.append(satisfied(chosen.conditions, moment, genes.c.id))
    return found
