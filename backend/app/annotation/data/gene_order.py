"""The sort orders of genes: by an identifier, or by a field of a source's data.

Genes without a value of the field come last in both directions. Genes with equal values are sorted
by their import.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Numeric,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.conditions.predicates import at_path
from app.annotation.data.field_names import Known, find_field
from app.annotation.data.fields import Field
from app.annotation.data.moments import Moment
from app.annotation.data.selection import known_fields, require_storable, unknown_name
from app.annotation.data.versions import answers_at

IDENTIFIERS = ("import", "symbol", "hgnc_id")

ORDERS = (*IDENTIFIERS, *(f"-{identifier}" for identifier in IDENTIFIERS))
"""The orders by identifiers; a leading minus means descending."""

Keys = tuple[ColumnElement[Any], ...]
"""The sort keys. The last key is unique for each gene."""


@dataclass(frozen=True, slots=True)
class GeneOrder:
    """A sort order of genes.

    Attributes:
        by: one of :data:`IDENTIFIERS`, or a field. Lists and maps are sorted by their length.
        descending: whether the order is descending.
    """

    by: str | Field = "import"
    descending: bool = False


IMPORTED = GeneOrder()
"""The order in which the genes were imported."""


async def find_order(connection: AsyncConnection, name: str) -> GeneOrder:
    """Return the sort order with a typed name; see :func:`parse_order`.

    Raises:
        WrongUse: the order does not exist.
    """
    by = name.removeprefix("-")
    return parse_order(name, {} if "." not in by else await known_fields(connection, [by]))


def parse_order(name: str, known: Known) -> GeneOrder:
    """Return the sort order with a typed name.

    Args:
        name: one of :data:`ORDERS`, or the name of a field; a leading minus means descending.
        known: the fields of all sources.

    Raises:
        WrongUse: the order does not exist.
    """
    by = name.removeprefix("-")
    if by in IDENTIFIERS:
        return GeneOrder(by, descending=name != by)
    if "." not in by:
        raise unknown_name("order", name, (*ORDERS, "FIELD", "-FIELD"))
    require_storable(by)
    return GeneOrder(find_field(by, known), descending=name != by)


def with_keys(genes: Subquery, moment: Moment, order: GeneOrder) -> tuple[FromClause, Keys]:
    """Return the FROM clause of genes with the sort keys of an order, and these keys.

    Args:
        genes: see `genes.genes_at`.
        moment: when the answers were valid.
        order: the sort order.
    """
    if isinstance(order.by, Field):
        values = _values(order.by, moment)
        return genes.outerjoin(values, values.c.gene_id == genes.c.id), (
            values.c.value,
            genes.c.id,
        )
    if order.by == "symbol":
        return genes, (func.lower(genes.c.symbol), genes.c.id)
    if order.by == "hgnc_id":
        # sorts by number: HGNC:99 before HGNC:100
        return genes, (func.length(genes.c.hgnc_id), genes.c.hgnc_id)
    return genes, (genes.c.id,)


def directed(order: GeneOrder, keys: Keys) -> list[ColumnElement[Any]]:
    """Return the keys with the directions of an order."""
    if isinstance(order.by, Field):
        value, gene_id = keys
        return [(value.desc() if order.descending else value.asc()).nulls_last(), gene_id]
    return [key.desc() for key in keys] if order.descending else [*keys]


def beyond(order: GeneOrder, keys: Keys, *, has_value: bool) -> ColumnElement[bool]:
    """Return the SQL condition that a gene comes after the gene with ``key_0``, ``key_1``.

    Args:
        order: the order of the genes.
        keys: the keys of the order.
        has_value: whether the first key of that gene is not null.
    """
    bound = [bindparam(f"key_{at}", type_=key.type) for at, key in enumerate(keys)]
    if not isinstance(order.by, Field):
        mine, its = tuple_(*keys), tuple_(*bound)
        return mine < its if order.descending else mine > its
    (value, gene_id), (last, last_id) = keys, bound
    if not has_value:
        return and_(value.is_(None), gene_id > last_id)
    return or_(
        value < last if order.descending else value > last,
        and_(value == last, gene_id > last_id),
        value.is_(None),
    )


def _values(field: Field, moment: Moment) -> Subquery:
    """Select the values of a field to sort genes by.

    A value of another type than the field declares counts as missing.
    """
    answers = answers_at(moment, "sorted_answers")
    # without this, PostgreSQL would read the data once for each use of the value
    value = (
        select(at_path(answers.c.data, field.path).label("value"))
        .correlate(answers)
        .offset(literal_column("0"))
        .lateral("sorted_value")
    )
    return (
        select(answers.c.gene_id, _comparable(field, value.c.value).label("value"))
        .select_from(answers.join(value, literal_column("true")))
        .where(answers.c.source == field.source, answers.c.state == "found")
        .subquery("sorted")
    )


def _comparable(field: Field, value: ColumnElement[Any]) -> ColumnElement[Any]:
    is_a = func.jsonb_typeof(value)
    match field.kind:
        case "integer" | "number":
            return case((is_a == "number", cast(value, Numeric)))
        case "boolean":
            return case((is_a == "boolean", cast(value, Boolean)))
        case "list":
            return case((is_a == "array", func.jsonb_array_length(value, type_=Integer)))
        case "map":
            # twice as fast as counting the rows of jsonb_object_keys
            values = func.jsonb_path_query_array(value, literal_column("'strict $.*'::jsonpath"))
            return case((is_a == "object", func.jsonb_array_length(values, type_=Integer)))
        case "text":
            text = value.op("#>>", return_type=Text)(literal_column("'{}'::text[]"))
            return case((is_a == "string", func.lower(text)))
