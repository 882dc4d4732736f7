"""Finds the gene of a name, for reads of one gene."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.reading import read_genes
from app.annotation.data.selection import Selection
from app.annotation.data.shapes import Gene
from app.annotation.genes.resolve import ANY_NAME, NamedGene, Resolution, resolve
from app.annotation.genes.search import Match, search
from app.annotation.genes.words import KINDS, title
from app.annotation.sources.names import MAX_NAME
from app.core.errors import Conflict, NotFound

IDENTIFIERS = ("hgnc_id", "ensembl_gene_id", "entrez_id")
"""The columns of a gene that identify it."""

MAX_NEAR = 5
"""Maximum number of suggested genes for an unknown name."""


class NoSuchGene(NotFound):
    """No gene has the name.

    Args:
        name: the requested name.
        near: the genes with a similar name.
    """

    def __init__(self, name: str, near: Sequence[Match]) -> None:
        self.near = near
        hint = f"; did you mean {near[0].name}?" if near else ""
        super().__init__(
            f"there is no gene {name[:MAX_NAME]!r}{hint}",
            allowed=f"a name of an imported gene: {ANY_NAME}",
        )


class AmbiguousName(Conflict):
    """Several genes have the name.

    Args:
        found: the meanings of the name.
    """

    def __init__(self, found: Resolution) -> None:
        self.candidates = found.candidates
        genes = ", ".join(map(title, found.candidates))
        super().__init__(
            f"{found.name!r} is the {kind_of(found)} of several genes: {genes}",
            allowed="a name that only one gene has",
            remedy="ask for one of these genes by its HGNC id",
        )


async def find_gene(connection: AsyncConnection, name: str) -> tuple[Resolution, NamedGene, int]:
    """Return the meaning of a name, its gene, and the gene's id in the database.

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
        raise await no_such_gene(connection, name)
    if gene.id is None:
        raise NotFound(
            f"{title(gene)} is not in this database; {found.name!r} is its {kind_of(found)}",
            allowed="a name of an imported gene",
            remedy="`just genes-import FILE` with the gene in a line of FILE",
        )
    return found, gene, gene.id


async def read_gene(
    connection: AsyncConnection, name: str, selection: Selection
) -> tuple[Resolution, Gene]:
    """Return the meaning of a name, and the gene with its answers.

    Raises:
        NotFound: see :func:`find_gene`, or the gene was not in the database at the moment.
        AmbiguousName: several genes have the name.
    """
    found, named, gene_id = await find_gene(connection, name)
    genes = await read_genes(connection, [gene_id], selection)
    if gene_id not in genes:
        assert selection.moment.at is not None
        raise NotFound(
            f"{title(named)} was not in this database at {selection.moment.at:%Y-%m-%d %H:%M} UTC",
            allowed="a moment after the gene was imported",
        )
    return found, genes[gene_id]


async def no_such_gene(connection: AsyncConnection, name: str) -> NoSuchGene:
    """Return the error about an unknown name, with similar names of genes in the database."""
    found = await search(connection, name, MAX_NEAR)
    near = [each for each in (*found.matches, *found.near) if each.gene.id is not None]
    return NoSuchGene(name, near[:MAX_NEAR])


def kind_of(found: Resolution) -> str:
    """Return the kind of a resolved name in words."""
    assert found.resolved_by is not None
    return KINDS[found.resolved_by]
