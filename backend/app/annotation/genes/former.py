"""The former symbols of genes, by which files name genes that were renamed."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources.base import Gene

# a name is judged against all approved genes, not only against those in the database
_FORMER = text(
    """
    SELECT n.hgnc_id, n.name, EXISTS (
      SELECT FROM gene_names o WHERE upper(o.name) = upper(n.name) AND o.hgnc_id <> n.hgnc_id
      AND o.kind IN ('symbol', 'previous')) AS ambiguous
    FROM gene_names n WHERE n.kind = 'previous' AND n.hgnc_id = ANY(:hgnc_ids)
    ORDER BY n.hgnc_id, n.name
    """
)


async def with_former_symbols(connection: AsyncConnection, genes: Sequence[Gene]) -> list[Gene]:
    """Return the genes with their former symbols.

    A former symbol is ambiguous if it is, or was, the symbol of another gene, too.

    Args:
        connection: to read from.
        genes: of the database.
    """
    former: dict[str, tuple[list[str], list[str]]] = {}
    found = await connection.execute(_FORMER, {"hgnc_ids": [gene.hgnc_id for gene in genes]})
    for hgnc_id, name, ambiguous in found:
        former.setdefault(hgnc_id, ([], []))[ambiguous].append(name)
    return [
        replace(gene, other_symbols=tuple(names[0]), ambiguous_symbols=tuple(names[1]))
        if (names := former.get(gene.hgnc_id))
        else gene
        for gene in genes
    ]
