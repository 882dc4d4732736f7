"""Finds the gene that a name means, for reads of one gene."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.reading import read_genes
from app.annotation.data.shapes import Gene
from app.annotation.data.wanted import Wanted
from app.annotation.genes.resolve import ANY_NAME, NamedGene, Resolution, resolve
from app.annotation.sources.names import MAX_NAME
from app.core.errors import Conflict, NotFound
from app.core.nearest import nearest
from app.db.text import is_storable

IDENTIFIERS = {
    "hgnc_id": "HGNC id",
    "ensembl_gene_id": "Ensembl id",
    "entrez_id": "Entrez id",
}
"""The columns of a gene that identify it, with their names for people."""

MOST_NEAR = 5
"""The most symbols that are offered instead of a name of no gene."""

_SYMBOLS = text("SELECT symbol FROM genes WHERE starts_with(lower(symbol), lower(:first))")


class NoSuchGene(NotFound):
    """No gene has the name.

    Args:
        name: as it was asked for.
        near: symbols that are like it, the most similar one first.
    """

    def __init__(self, name: str, near: Sequence[str]) -> None:
        self.near = near
        hint = f"; did you mean {near[0]}?" if near else ""
        super().__init__(
            f"there is no gene {name[:MAX_NAME]!r}{hint}",
            allowed=f"a name of an imported gene: {ANY_NAME}",
        )


class AmbiguousName(Conflict):
    """Several genes have the name.

    Args:
        found: what the name means.
    """

    def __init__(self, found: Resolution) -> None:
        self.candidates = found.candidates
        genes = ", ".join(map(describe, found.candidates))
        super().__init__(
            f"{found.name!r} is the {words(found)} of several genes: {genes}",
            allowed="a name that only one gene has",
            remedy="ask for one of these genes by its HGNC id",
        )


async def find_gene(connection: AsyncConnection, name: str) -> tuple[Resolution, NamedGene, int]:
    """Return what a name means, with its gene and the gene's id in the database.

    Raises:
        NoSuchGene: no gene has the name.
        NotFound: the gene is not in the database.
        AmbiguousName: several genes have the name.
    """
    (found,) = await resolve(connection, [name])
    if found.candidates:
        raise AmbiguousName(found)
    gene = found.gene
    if gene is None:
        raise NoSuchGene(name, await near_symbols(connection, name))
    if gene.id is None:
        raise NotFound(
            f"{describe(gene)} is not in this database; {found.name!r} is its {words(found)}",
            allowed="a name of an imported gene",
            remedy="`just genes-import FILE` with the gene in a line of FILE",
        )
    return found, gene, gene.id


async def read_gene(
    connection: AsyncConnection, name: str, wanted: Wanted
) -> tuple[Resolution, Gene]:
    """Return what a name means, and the gene with its answers.

    Raises:
        NotFound: see :func:`find_gene`, or the gene was not in the database at the moment.
        AmbiguousName: several genes have the name.
    """
    found, named, gene_id = await find_gene(connection, name)
    genes = await read_genes(connection, [gene_id], wanted)
    if gene_id not in genes:
        assert wanted.moment.at is not None
        raise NotFound(
            f"{describe(named)} was not in this database at {wanted.moment.at:%Y-%m-%d %H:%M} UTC",
            allowed="a moment after the gene was imported",
        )
    return found, genes[gene_id]


async def near_symbols(connection: AsyncConnection, name: str) -> list[str]:
    """Return the symbols of genes in the database that are most like a name.

    Only symbols with the same first letter are compared, which are a few thousand at most.
    """
    name = name.strip()
    if not name or not is_storable(name):
        return []
    symbols = await connection.execute(_SYMBOLS, {"first": name[0]})
    return nearest(name, symbols.scalars(), most=MOST_NEAR)


def describe(gene: NamedGene) -> str:
    """Return a gene's symbol with its HGNC id."""
    return f"{gene.symbol} ({gene.hgnc_id})"


def words(found: Resolution) -> str:
    """Return what a name is for its gene, in words: `previous symbol`."""
    return str(found.resolved_by).replace("_", " ")
