"""Finds genes by a name, the start of a name, or a misspelled name."""

from typing import Annotated, Any

from sqlalchemy import (
    Integer,
    Select,
    Text,
    TextualSelect,
    all_,
    and_,
    bindparam,
    column,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.cells import clean
from app.annotation.genes.near import near_names
from app.annotation.genes.resolve import RESOLVED_BY, NamedGene, Resolution, resolve
from app.annotation.sources.names import MAX_NAME
from app.core.text.field_docs import View, one_of
from app.db.tables import gene_names, genes
from app.db.text import is_storable

DEFAULT_MATCHES = 10
"""Default number of listed genes."""

MAX_MATCHES = 100
"""Maximum number of listed genes."""

MIN_BEGINNING = 2
"""Minimum length of a prefix. Thousands of names begin with the same letter."""

_KINDS = RESOLVED_BY[3:]


class Match(View):
    """A gene and the name by which it was found."""

    name: str
    """The name of the gene that begins with the text or is similar to it."""
    kind: Annotated[str, one_of(_KINDS)]
    """The kind of name."""
    gene: NamedGene


class Found(View):
    """The genes that a text could mean."""

    q: str
    """The text."""
    resolution: Resolution
    """The meaning of the whole text, as in `GET /api/resolve`."""
    matches: list[Match]
    """Genes with a name that begins with the text, ordered by kind of name, those in the database
    first. Each gene is listed once. The genes of `resolution` are omitted."""
    more: bool
    """Whether there are more matches."""
    near: list[Match]
    """Genes with a name that differs from the text by one character, or that is a prefix of the
    text. The list is empty if anything else was found."""

    @property
    def meant(self) -> list[NamedGene]:
        """The genes that have the whole text as a name."""
        gene = self.resolution.gene
        return self.resolution.candidates if gene is None else [gene]

    @property
    def only_gene(self) -> NamedGene | None:
        """The only gene that the text names, if its page can be opened directly; else None."""
        found = self.meant or [match.gene for match in self.matches]
        needs_none = len(found) == 1 and found[0].id is not None and found[0].withdrawn_at is None
        return found[0] if needs_none else None


def _first_of(named: TextualSelect) -> Select[Any]:
    """Return the statement that gives the first genes of some, each with the best of its names.

    Args:
        named: selects ``part``, ``hgnc_id``, ``kind`` and ``name``. The kind decides on the order
            of the genes, then the part.
    """
    found = named.subquery("named")
    best = (
        select(found.c.part, found.c.hgnc_id, found.c.kind, found.c.name)
        .ext(distinct_on(found.c.hgnc_id))
        .where(found.c.hgnc_id != all_(bindparam("without", type_=ARRAY(Text))))
        .order_by(found.c.hgnc_id, found.c.kind, found.c.part, found.c.name)
        .subquery("best")
    )
    first = (
        select(best.c.part, best.c.hgnc_id, best.c.kind, best.c.name)
        .order_by(best.c.kind, best.c.part, func.upper(best.c.name), best.c.hgnc_id)
        .limit(bindparam("limit", type_=Integer))
        .subquery("first")
    )
    symbol = and_(gene_names.c.hgnc_id == first.c.hgnc_id, gene_names.c.kind == "symbol")
    return (
        select(
            first.c.kind,
            first.c.name,
            first.c.hgnc_id,
            genes.c.id,
            genes.c.withdrawn_at,
            func.coalesce(genes.c.symbol, gene_names.c.name).label("symbol"),
        )
        .select_from(
            first.outerjoin(genes, genes.c.hgnc_id == first.c.hgnc_id).outerjoin(gene_names, symbol)
        )
        .order_by(first.c.kind, first.c.part, func.upper(first.c.name), first.c.hgnc_id)
    )


_COLUMNS = (
    column("part", Integer),
    column("hgnc_id", Text),
    column("kind", Integer),
    column("name", Text),
)

# These operators compare bytes, whatever the collation of the database is. The indexes use the same
# order, so that few names are read even if thousands begin with the text.
_BEGINNING = _first_of(
    text(
        """
        (SELECT 1 AS part, hgnc_id, CASE WHEN withdrawn_at IS NULL THEN 3 ELSE 4 END AS kind,
           symbol AS name FROM genes
         WHERE lower(symbol) ~>=~ lower(:first) AND lower(symbol) ~<~ (lower(:first) || :last)
         ORDER BY lower(symbol) USING ~<~ LIMIT :part)
        UNION ALL
        (SELECT 2, hgnc_id, 3, name FROM gene_names n
         WHERE kind = 'symbol' AND upper(name) ~>=~ upper(:first)
           AND upper(name) ~<~ (upper(:first) || :last)
           AND NOT EXISTS (SELECT FROM genes g WHERE g.hgnc_id = n.hgnc_id)
         ORDER BY upper(name) USING ~<~ LIMIT :part)
        UNION ALL
        (SELECT 2, hgnc_id, 5, name FROM gene_names
         WHERE kind = 'previous' AND upper(name) ~>=~ upper(:first)
           AND upper(name) ~<~ (upper(:first) || :last)
         ORDER BY upper(name) USING ~<~ LIMIT :part)
        UNION ALL
        (SELECT 2, hgnc_id, 6, name FROM gene_names
         WHERE kind = 'alias' AND upper(name) ~>=~ upper(:first)
           AND upper(name) ~<~ (upper(:first) || :last)
         ORDER BY upper(name) USING ~<~ LIMIT :part)
        """
    ).columns(*_COLUMNS)
)

_NEAR = _first_of(
    text(
        """
        SELECT 1 AS part, hgnc_id, CASE WHEN withdrawn_at IS NULL THEN 3 ELSE 4 END AS kind,
          symbol AS name
        FROM genes WHERE lower(symbol) = ANY(CAST(:lower AS text[]))
        UNION ALL
        SELECT 2, hgnc_id, CASE kind WHEN 'symbol' THEN 3 WHEN 'previous' THEN 5 ELSE 6 END, name
        FROM gene_names WHERE upper(name) = ANY(CAST(:upper AS text[]))
        """
    ).columns(*_COLUMNS)
)

_NAMES_PER_GENE = 3
"""The number of names read per kind for each listed gene, because a gene may have several names."""

_LAST = "\U0010ffff"
"""A character that sorts after all others."""


async def search(connection: AsyncConnection, q: str, limit: int = DEFAULT_MATCHES) -> Found:
    """Find the genes that a text could mean.

    Args:
        connection: the database connection.
        q: the text, of any length.
        limit: the maximum number of matches.
    """
    (resolution,) = await resolve(connection, [q])
    found = Found(q=q, resolution=resolution, matches=[], more=False, near=[])
    typed = clean(q)
    if not MIN_BEGINNING <= len(typed) <= MAX_NAME or not is_storable(typed):
        return found
    values = {
        "first": typed,
        "last": _LAST,
        "without": [each.hgnc_id for each in found.meant],
        "part": _NAMES_PER_GENE * (limit + 1),
    }
    matches = await _matches(connection, _BEGINNING, values, limit + 1)
    if not found.meant and not matches:
        found.near = await _near(connection, typed, limit)
    found.matches, found.more = matches[:limit], len(matches) > limit
    return found


async def _near(connection: AsyncConnection, typed: str, limit: int) -> list[Match]:
    names = near_names(typed)
    values = {
        "lower": [name.lower() for name in names],
        "upper": [name.upper() for name in names],
        "without": [],
    }
    found = await _matches(connection, _NEAR, values, limit)
    # of the names that the text begins with, keep only the longest
    begun = [each for each in found if typed.upper().startswith(each.name.upper())]
    longest = max((len(each.name) for each in begun), default=0)
    return [each for each in found if each not in begun or len(each.name) == longest]


async def _matches(
    connection: AsyncConnection, statement: Select[Any], values: dict[str, Any], limit: int
) -> list[Match]:
    rows = await connection.execute(statement, values | {"limit": limit})
    return [
        Match(
            name=row.name,
            kind=RESOLVED_BY[row.kind],
            gene=NamedGene(
                hgnc_id=row.hgnc_id, symbol=row.symbol, id=row.id, withdrawn_at=row.withdrawn_at
            ),
        )
        for row in rows
    ]
