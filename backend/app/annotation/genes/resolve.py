"""Says what a name means: an identifier, a symbol, a previous symbol or an alias of a gene."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.cells import clean, identifier, is_number
from app.annotation.sources.names import MAX_NAME
from app.core.runs.views import View, one_of
from app.db.text import storable

ANY_NAME = "a symbol, a previous symbol, an alias, or an id of HGNC, Ensembl or NCBI"
"""What can be resolved, for people."""

MAX_NAMES = 200
"""The most names in one address, or in one command."""

RESOLVED_BY = (
    "hgnc_id", "ensembl_gene_id", "entrez_id", "symbol", "withdrawn symbol", "previous symbol",
    "alias",
)  # fmt: skip
"""How a name can name a gene. The first that fits any gene decides."""


class NamedGene(View):
    """A gene, whether it is in the database or not."""

    hgnc_id: str
    """With its prefix: `HGNC:9008`."""
    symbol: str
    """The approved symbol, or the last one of a withdrawn gene."""
    id: int | None
    """In the database; null if the gene is not in it. Import it to annotate it."""
    withdrawn_at: datetime | None
    """When HGNC was seen to have withdrawn the gene; null for an approved gene."""


class Resolution(View):
    """What a name means."""

    name: str
    """As it was asked for."""
    resolved_by: Annotated[str, one_of(RESOLVED_BY)] | None
    """How the name names the gene, or the candidates; null if no gene has the name."""
    gene: NamedGene | None
    """The gene; null if the name means none or several."""
    candidates: list[NamedGene]
    """The genes that an ambiguous name could mean; otherwise empty."""
    successor: NamedGene | None
    """The gene that the gene was merged into."""


class Resolutions(View):
    """What names mean, in the order in which they were asked for."""

    names: list[Resolution]


# Each part finds the genes that a name can mean in one way; an exact match hides those that differ
# in case. Names are compared with the names of all approved genes. A gene that is in the database
# under the same HGNC id is joined.
_FIND = """
    WITH asked (place, name, hgnc_id, ensembl_id, entrez_id) AS MATERIALIZED ({asked}),
    meant (place, kind, hgnc_id, exact) AS (
      SELECT a.place, 0, g.hgnc_id, true FROM asked a JOIN genes g ON g.hgnc_id = a.hgnc_id
      UNION ALL
      SELECT a.place, 0, n.hgnc_id, true
      FROM asked a JOIN gene_names n ON n.hgnc_id = a.hgnc_id AND n.kind = 'symbol'
      UNION ALL
      SELECT a.place, 1, g.hgnc_id, true
      FROM asked a JOIN genes g ON g.ensembl_gene_id = a.ensembl_id
      UNION ALL
      SELECT a.place, 2, g.hgnc_id, true FROM asked a JOIN genes g ON g.entrez_id = a.entrez_id
      UNION ALL
      SELECT a.place, CASE WHEN g.withdrawn_at IS NULL THEN 3 ELSE 4 END, g.hgnc_id,
        g.symbol = a.name
      FROM asked a JOIN genes g ON lower(g.symbol) = lower(a.name)
      UNION ALL
      SELECT a.place, CASE n.kind WHEN 'symbol' THEN 3 WHEN 'previous' THEN 5 ELSE 6 END, n.hgnc_id,
        n.kind <> 'symbol' OR n.name = a.name
      FROM asked a JOIN gene_names n ON upper(n.name) = upper(a.name)
    ),
    best AS (
      SELECT place, kind, hgnc_id,
        rank() OVER (PARTITION BY place ORDER BY kind, exact DESC) AS rank
      FROM meant WHERE kind = ANY(CAST(:kinds AS int[]))
    )
    SELECT DISTINCT b.place, b.kind, b.hgnc_id, g.id, g.withdrawn_at,
      coalesce(g.symbol, n.name) AS symbol,
      s.id AS successor_id, s.hgnc_id AS successor_hgnc_id, s.symbol AS successor_symbol,
      s.withdrawn_at AS successor_withdrawn_at
    FROM best b LEFT JOIN genes g ON g.hgnc_id = b.hgnc_id
    LEFT JOIN gene_names n ON n.hgnc_id = b.hgnc_id AND n.kind = 'symbol'
    LEFT JOIN genes s ON s.id = g.successor_id
    WHERE b.rank = 1 ORDER BY b.place, symbol, b.hgnc_id
    """

_FIND_ALL = text(
    _FIND.format(
        asked="SELECT * FROM unnest(CAST(:places AS int[]), CAST(:names AS text[]),"
        " CAST(:hgnc_ids AS text[]), CAST(:ensembl_ids AS text[]), CAST(:entrez_ids AS text[]))"
    )
)

# Most calls are of one name. PostgreSQL plans this statement once and the other one every time,
# because its plan depends on the number of names.
_FIND_ONE = text(
    _FIND.format(
        asked="SELECT CAST(:places AS int), CAST(:names AS text), CAST(:hgnc_ids AS text),"
        " CAST(:ensembl_ids AS text), CAST(:entrez_ids AS text)"
    )
)


async def resolve(
    connection: AsyncConnection, names: Sequence[str], kinds: Collection[str] = RESOLVED_BY
) -> list[Resolution]:
    """Say what each name means. The order of :data:`RESOLVED_BY` is the precedence.

    The symbols of withdrawn genes stand behind those of approved genes, and before previous
    symbols: HGNC lists the symbol of a merged gene among the previous symbols of its successor.

    Args:
        connection: to read from.
        names: of any kind, in any case.
        kinds: of :data:`RESOLVED_BY`, that count.
    """
    cleaned = [clean(name) for name in names]
    found: dict[int, list[tuple[int, NamedGene, NamedGene | None]]] = {}
    statement, values = _FIND_ALL, dict[str, Any](_asked(cleaned))
    if len(values["places"]) == 1:
        statement, values = _FIND_ONE, {name: column[0] for name, column in values.items()}
    values["kinds"] = [RESOLVED_BY.index(kind) for kind in kinds]
    for row in await connection.execute(statement, values):
        gene = NamedGene(
            hgnc_id=row.hgnc_id, symbol=row.symbol, id=row.id, withdrawn_at=row.withdrawn_at
        )
        successor = None
        if row.successor_id is not None:
            successor = NamedGene(
                hgnc_id=row.successor_hgnc_id,
                symbol=row.successor_symbol,
                id=row.successor_id,
                withdrawn_at=row.successor_withdrawn_at,
            )
        found.setdefault(row.place, []).append((row.kind, gene, successor))
    return [_resolution(name, found.get(place, [])) for place, name in enumerate(names)]


def _asked(names: Sequence[str]) -> dict[str, list[object]]:
    """Return the names with the identifiers that they may be. What cannot be a name is left out."""
    columns: dict[str, list[object]] = {
        "places": [], "names": [], "hgnc_ids": [], "ensembl_ids": [], "entrez_ids": [],
    }  # fmt: skip
    for place, name in enumerate(names):
        if not name or len(name) > MAX_NAME or storable(name) != name:
            continue
        kind, value = identifier(name) or (None, name)
        number = str(int(name)) if is_number(name) and name.isascii() and name.isdigit() else None
        columns["places"].append(place)
        columns["names"].append(name)
        columns["hgnc_ids"].append(value if kind == "HGNC id" else None)
        columns["ensembl_ids"].append(value if kind == "Ensembl id" else None)
        columns["entrez_ids"].append(value if kind == "Entrez id" else number)
    return columns


def _resolution(name: str, found: Sequence[tuple[int, NamedGene, NamedGene | None]]) -> Resolution:
    single = found[0] if len(found) == 1 else None
    return Resolution(
        name=name,
        resolved_by=RESOLVED_BY[found[0][0]] if found else None,
        gene=single[1] if single else None,
        candidates=[gene for _, gene, _ in found] if len(found) > 1 else [],
        successor=single[2] if single else None,
    )
