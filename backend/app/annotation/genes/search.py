"""Finds genes by what somebody types: a name, its beginning, or a name that is nearly right."""

from typing import Annotated, Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.cells import clean
from app.annotation.genes.near import near_names
from app.annotation.genes.resolve import RESOLVED_BY, NamedGene, Resolution, resolve
from app.annotation.sources.names import MAX_NAME
from app.core.runs.views import View, one_of
from app.db.text import is_storable

MOST = 10
"""Genes that are listed, unless somebody asks for another number."""

MOST_MATCHES = 100
"""The most genes that can be asked for."""

SHORTEST = 2
"""Characters of a beginning. A single letter begins thousands of names."""

_KINDS = RESOLVED_BY[3:]


class Match(View):
    """A gene, and the name by which it was found."""

    name: str
    """The name of the gene that begins with the text, or is near to it."""
    kind: Annotated[str, one_of(_KINDS)]
    """What the name is to the gene."""
    gene: NamedGene


class Found(View):
    """The genes that a text could mean."""

    q: str
    """The text."""
    resolution: Resolution
    """What the whole text means, as in `GET /api/resolve`."""
    matches: list[Match]
    """Genes with a name that begins with the text: in the order of the kinds of names, those in the
    database first. A gene is listed once, and not if the whole text means it."""
    more: bool
    """Whether there are more of them."""
    near: list[Match]
    """Genes with a name that differs from the text by one character, or that the text begins with.
    It is empty unless nothing else was found."""

    @property
    def meant(self) -> list[NamedGene]:
        """The genes that the whole text could mean."""
        gene = self.resolution.gene
        return self.resolution.candidates if gene is None else [gene]

    @property
    def only_gene(self) -> NamedGene | None:
        """The one gene that the text means, if it has a page that needs no explanation."""
        found = self.meant or [each.gene for each in self.matches]
        needs_none = len(found) == 1 and found[0].id is not None and found[0].withdrawn_at is None
        return found[0] if needs_none else None


_NAMED = """
    WITH named (part, hgnc_id, kind, name) AS ({named}),
    best AS (
      SELECT DISTINCT ON (hgnc_id) part, hgnc_id, kind, name FROM named
      WHERE hgnc_id <> ALL(CAST(:without AS text[])) ORDER BY hgnc_id, kind, part, name
    ),
    first AS (
      SELECT part, hgnc_id, kind, name FROM best
      ORDER BY kind, part, upper(name), hgnc_id LIMIT :limit
    )
    SELECT f.kind, f.name, f.hgnc_id, g.id, g.withdrawn_at, coalesce(g.symbol, n.name) AS symbol
    FROM first f LEFT JOIN genes g ON g.hgnc_id = f.hgnc_id
    LEFT JOIN gene_names n ON n.hgnc_id = f.hgnc_id AND n.kind = 'symbol'
    ORDER BY f.kind, f.part, upper(f.name), f.hgnc_id
    """

# These operators compare bytes, whatever the collation of the database is. The indexes have the
# names in this order, so that few are read although two letters may begin thousands.
_GENES_THAT_BEGIN = """
    (SELECT 1, hgnc_id, CASE WHEN withdrawn_at IS NULL THEN 3 ELSE 4 END, symbol FROM genes
     WHERE lower(symbol) ~>=~ lower(:first) AND lower(symbol) ~<~ (lower(:first) || :last)
     ORDER BY lower(symbol) USING ~<~ LIMIT :part)
    """

_NAMES_THAT_BEGIN = """
    (SELECT 2, hgnc_id, {place}, name FROM gene_names n
     WHERE kind = '{kind}' AND upper(name) ~>=~ upper(:first)
       AND upper(name) ~<~ (upper(:first) || :last) {more}
     ORDER BY upper(name) USING ~<~ LIMIT :part)
    """

_NOT_THERE = "AND NOT EXISTS (SELECT FROM genes g WHERE g.hgnc_id = n.hgnc_id)"

_BEGINNING = text(
    _NAMED.format(
        named=" UNION ALL ".join(
            [
                _GENES_THAT_BEGIN,
                _NAMES_THAT_BEGIN.format(place=3, kind="symbol", more=_NOT_THERE),
                _NAMES_THAT_BEGIN.format(place=5, kind="previous", more=""),
                _NAMES_THAT_BEGIN.format(place=6, kind="alias", more=""),
            ]
        )
    )
)

_NEAR = text(
    _NAMED.format(
        named="""
    SELECT 1, hgnc_id, CASE WHEN withdrawn_at IS NULL THEN 3 ELSE 4 END, symbol
    FROM genes WHERE lower(symbol) = ANY(CAST(:lower AS text[]))
    UNION ALL
    SELECT 2, hgnc_id, CASE kind WHEN 'symbol' THEN 3 WHEN 'previous' THEN 5 ELSE 6 END, name
    FROM gene_names WHERE upper(name) = ANY(CAST(:upper AS text[]))
    """
    )
)

_SPARE = 3
"""The number of names of each kind that are read for each gene, because a gene has several."""

_LAST = "\U0010ffff"
"""Stands behind all characters."""


async def search(connection: AsyncConnection, q: str, limit: int = MOST) -> Found:
    """Find the genes that a text could mean.

    Args:
        connection: to read from.
        q: the text, of any length.
        limit: the most genes that are found by the beginning of a name.
    """
    (resolution,) = await resolve(connection, [q])
    found = Found(q=q, resolution=resolution, matches=[], more=False, near=[])
    typed = clean(q)
    if not SHORTEST <= len(typed) <= MAX_NAME or not is_storable(typed):
        return found
    values = {
        "first": typed,
        "last": _LAST,
        "without": [each.hgnc_id for each in found.meant],
        "part": _SPARE * (limit + 1),
    }
    matches = await _matches(connection, _BEGINNING, values, limit + 1)
    if not found.meant and not matches:
        found.near = await _near(connection, typed, limit)
    found.matches, found.more = matches[:limit], len(matches) > limit
    return found


async def _near(connection: AsyncConnection, typed: str, limit: int) -> list[Match]:
    names = near_names(typed)
    values = {
        "lower": [each.lower() for each in names],
        "upper": [each.upper() for each in names],
        "without": [],
    }
    found = await _matches(connection, _NEAR, values, limit)
    # the longest of the names that the text begins with
    begun = [each for each in found if typed.upper().startswith(each.name.upper())]
    longest = max((len(each.name) for each in begun), default=0)
    return [each for each in found if each not in begun or len(each.name) == longest]


async def _matches(
    connection: AsyncConnection, statement: TextClause, values: dict[str, Any], limit: int
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
