"""Resolves a name: an identifier, a symbol, a previous symbol or an alias of a gene."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import (
    Integer,
    Select,
    Text,
    TextualSelect,
    and_,
    any_,
    bindparam,
    case,
    column,
    func,
    literal,
    not_,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.cells import clean, identifier, is_number
from app.annotation.sources.names import MAX_NAME
from app.core.text.field_docs import View, one_of
from app.db.tables import gene_names, genes
from app.db.text import storable

ANY_NAME = "a symbol, a previous symbol, an alias, or an id of HGNC, Ensembl or NCBI"
"""The names that can be resolved, for messages."""

MAX_NAMES = 200
"""Maximum number of names in one URL or command."""

RESOLVED_BY = (
    "hgnc_id", "ensembl_gene_id", "entrez_id", "symbol", "withdrawn symbol", "previous symbol",
    "alias",
)  # fmt: skip
"""The kinds of names, in order of precedence. The first kind that matches a gene decides."""


class NamedGene(View):
    """A gene, which may be missing from the database."""

    hgnc_id: str
    """The HGNC id with its prefix: `HGNC:9008`."""
    symbol: str
    """The approved symbol, or the last one of a withdrawn gene."""
    id: int | None
    """The id in the database; null if the gene is not in it. Import the gene to annotate it."""
    withdrawn_at: datetime | None
    """When the withdrawal of the gene by HGNC was detected; null for an approved gene."""


class Resolution(View):
    """The meaning of a name."""

    name: str
    """The name as requested."""
    resolved_by: Annotated[str, one_of(RESOLVED_BY)] | None
    """The kind of name that it is for the gene or the candidates; null if no gene has the name."""
    gene: NamedGene | None
    """The gene; null if no gene or several genes have the name."""
    candidates: list[NamedGene]
    """The genes that have an ambiguous name; otherwise empty."""
    successor: NamedGene | None
    """The gene that the gene was merged into."""


class Resolutions(View):
    """The meanings of names, in the order of the request."""

    names: list[Resolution]


_ASKED = (
    column("place", Integer),
    column("name", Text),
    column("hgnc_id", Text),
    column("ensembl_id", Text),
    column("entrez_id", Text),
)


def _find(names: TextualSelect) -> Select[Any]:
    """Return the statement that finds the genes that names mean.

    Each part of the union finds the genes that a name can mean in one way; an exact match hides
    those that differ in case. Names are compared with the names of all approved genes. A gene that
    is in the database under the same HGNC id is joined.

    Args:
        names: selects the names that are asked for, with the identifiers that they may be.
    """
    asked = names.cte("asked").prefix_with("MATERIALIZED")
    withdrawn = case((genes.c.withdrawn_at.is_(None), 3), else_=4)
    of_kind = case(
        (gene_names.c.kind == "symbol", 3), (gene_names.c.kind == "previous", 5), else_=6
    )
    is_symbol = gene_names.c.kind == "symbol"
    meant = union_all(
        select(
            asked.c.place, literal(0).label("kind"), genes.c.hgnc_id, true().label("exact")
        ).join_from(asked, genes, genes.c.hgnc_id == asked.c.hgnc_id),
        select(asked.c.place, literal(0), gene_names.c.hgnc_id, true()).join_from(
            asked, gene_names, and_(gene_names.c.hgnc_id == asked.c.hgnc_id, is_symbol)
        ),
        select(asked.c.place, literal(1), genes.c.hgnc_id, true()).join_from(
            asked, genes, genes.c.ensembl_gene_id == asked.c.ensembl_id
        ),
        select(asked.c.place, literal(2), genes.c.hgnc_id, true()).join_from(
            asked, genes, genes.c.entrez_id == asked.c.entrez_id
        ),
        select(asked.c.place, withdrawn, genes.c.hgnc_id, genes.c.symbol == asked.c.name).join_from(
            asked, genes, func.lower(genes.c.symbol) == func.lower(asked.c.name)
        ),
        select(
            asked.c.place,
            of_kind,
            gene_names.c.hgnc_id,
            or_(not_(is_symbol), gene_names.c.name == asked.c.name),
        ).join_from(asked, gene_names, func.upper(gene_names.c.name) == func.upper(asked.c.name)),
    ).subquery("meant")
    place = func.rank().over(
        partition_by=meant.c.place, order_by=(meant.c.kind, meant.c.exact.desc())
    )
    best = (
        select(meant.c.place, meant.c.kind, meant.c.hgnc_id, place.label("rank"))
        .where(meant.c.kind == any_(bindparam("kinds", type_=ARRAY(Integer))))
        .subquery("best")
    )
    successors = genes.alias("successors")
    symbol = func.coalesce(genes.c.symbol, gene_names.c.name).label("symbol")
    return (
        select(
            best.c.place,
            best.c.kind,
            best.c.hgnc_id,
            genes.c.id,
            genes.c.withdrawn_at,
            symbol,
            successors.c.id.label("successor_id"),
            successors.c.hgnc_id.label("successor_hgnc_id"),
            successors.c.symbol.label("successor_symbol"),
            successors.c.withdrawn_at.label("successor_withdrawn_at"),
        )
        .distinct()
        .select_from(
            best.outerjoin(genes, genes.c.hgnc_id == best.c.hgnc_id)
            .outerjoin(gene_names, and_(gene_names.c.hgnc_id == best.c.hgnc_id, is_symbol))
            .outerjoin(successors, successors.c.id == genes.c.successor_id)
        )
        .where(best.c.rank == 1)
        .order_by(best.c.place, symbol, best.c.hgnc_id)
    )


_FIND_ALL = _find(
    text(
        """
        SELECT place, name, hgnc_id, ensembl_id, entrez_id
        FROM unnest(CAST(:places AS int[]), CAST(:names AS text[]), CAST(:hgnc_ids AS text[]),
            CAST(:ensembl_ids AS text[]), CAST(:entrez_ids AS text[]))
          AS asked (place, name, hgnc_id, ensembl_id, entrez_id)
        """
    ).columns(*_ASKED)
)

# Most calls resolve one name. PostgreSQL caches the plan of this statement. It plans the other one
# every time, because that plan depends on the number of names.
_FIND_ONE = _find(
    text(
        """
        SELECT CAST(:places AS int) AS place, CAST(:names AS text) AS name,
          CAST(:hgnc_ids AS text) AS hgnc_id, CAST(:ensembl_ids AS text) AS ensembl_id,
          CAST(:entrez_ids AS text) AS entrez_id
        """
    ).columns(*_ASKED)
)


async def resolve(
    connection: AsyncConnection, names: Sequence[str], kinds: Collection[str] = RESOLVED_BY
) -> list[Resolution]:
    """Resolve each name. The order of :data:`RESOLVED_BY` is the precedence.

    The symbols of withdrawn genes come after those of approved genes and before previous symbols,
    because HGNC lists the symbol of a merged gene among its successor's previous symbols.

    Args:
        connection: the database connection.
        names: names of any kind, in any case.
        kinds: the kinds of :data:`RESOLVED_BY` to consider.
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
    """Return the names with the identifiers that they may be. Skip texts that cannot be names."""
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
