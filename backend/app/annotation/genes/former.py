"""Reads the former symbols and ids of genes, which older files use."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources.answers import Gene

# a former symbol is compared with all approved genes, not only with those in the database
_FORMER = text(
    """
    SELECT n.hgnc_id, n.name, EXISTS (
      SELECT FROM gene_names o WHERE upper(o.name) = upper(n.name) AND o.hgnc_id <> n.hgnc_id
      AND o.kind IN ('symbol', 'previous')) AS ambiguous
    FROM gene_names n WHERE n.kind = 'previous' AND n.hgnc_id = ANY(:hgnc_ids)
    ORDER BY n.hgnc_id, n.name
    """
)


_MERGED = text(
    "SELECT successor, hgnc_id FROM merged_ids WHERE successor = ANY(:hgnc_ids) ORDER BY hgnc_id"
)


async def with_former_names(connection: AsyncConnection, genes: Sequence[Gene]) -> list[Gene]:
    """Return the genes with their former symbols and the ids of the genes merged into them.

    A former symbol is ambiguous if it also is or was the symbol of another gene.

    Args:
        connection: the database connection.
        genes: genes of the database.
    """
    former: dict[str, tuple[list[str], list[str]]] = {}
    merged: dict[str, list[str]] = {}
    asked = {"hgnc_ids": [gene.hgnc_id for gene in genes]}
    for hgnc_id, name, ambiguous in await connection.execute(_FORMER, asked):
        former.setdefault(hgnc_id, ([], []))[ambiguous].append(name)
    for successor, hgnc_id in await connection.execute(_MERGED, asked):
        merged.setdefault(successor, []).append(hgnc_id)
    found = []
    for gene in genes:
        symbols, ambiguous_symbols = former.get(gene.hgnc_id, ((), ()))
        found.append(
            replace(
                gene,
                other_symbols=tuple(symbols),
                ambiguous_symbols=tuple(ambiguous_symbols),
                merged_hgnc_ids=tuple(merged.get(gene.hgnc_id, ())),
            )
        )
    return found
