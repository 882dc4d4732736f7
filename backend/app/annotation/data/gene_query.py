"""Answers queries of many identifiers: a gene or a reason for each, in their order."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.reading import read_genes
from app.annotation.data.selection import Selection, unknown_name
from app.annotation.data.shapes import Gene
from app.annotation.genes.resolve import RESOLVED_BY, NamedGene, Resolution, resolve
from app.db.text import storable

MAX_IDENTIFIERS = 1_000
"""Maximum number of identifiers in one query."""

_GENES_PER_STATEMENT = 250
"""The number of genes read by one statement. The rows of 1,000 genes would block the event loop for
a tenth of a second."""

_FORMER = ("previous symbol", "alias")

SCOPES: Mapping[str, Sequence[str]] = {
    "hgnc_id": ("hgnc_id",),
    "HGNC": ("hgnc_id",),
    "ensembl_gene_id": ("ensembl_gene_id",),
    "ensembl.gene": ("ensembl_gene_id",),
    "ensemblgene": ("ensembl_gene_id",),
    "entrez_id": ("entrez_id",),
    "entrezgene": ("entrez_id",),
    "symbol": ("symbol", "withdrawn symbol"),
    "previous": ("previous symbol",),
    "alias": _FORMER,
}
"""The kinds of identifiers by scope, with the names of this project and of MyGene.info. In
MyGene.info, `alias` includes previous symbols."""


def kinds_of(scopes: Sequence[str]) -> list[str]:
    """Return the kinds of names of scopes; all kinds if there are no scopes.

    Raises:
        WrongUse: a scope does not exist.
    """
    for scope in scopes:
        if scope not in SCOPES:
            raise unknown_name("scope", scope, SCOPES)
    meant = {kind for scope in scopes for kind in SCOPES[scope]}
    return [kind for kind in RESOLVED_BY if not scopes or kind in meant]


async def answer_query(
    connection: AsyncConnection, names: Sequence[str], kinds: Sequence[str], selection: Selection
) -> list[dict[str, Any]]:
    """Answer each name, in order; see `views.AnsweredQuery` and the classes after it.

    Names are resolved with their current meaning, also for a moment in the past.

    Args:
        connection: the database connection.
        names: identifiers of any kind, in any case.
        kinds: the kinds of names to consider; see :func:`kinds_of`.
        selection: the selection of answers to read.
    """
    resolved = await resolve(connection, names, kinds)
    found = {each.gene.id for each in resolved if each.gene is not None}
    ids = sorted(gene_id for gene_id in found if gene_id is not None)
    genes: dict[int, Gene] = {}
    for at in range(0, len(ids), _GENES_PER_STATEMENT):
        genes |= await read_genes(connection, ids[at : at + _GENES_PER_STATEMENT], selection)
    return [_answer(each, genes, selection) for each in resolved]


def found_gene(found: Resolution, gene: Gene) -> dict[str, Any]:
    """Return a gene and how its name was resolved; see `views.FoundGene`."""
    return {"resolved_by": found.resolved_by, **msgspec.structs.asdict(gene)}


def named(gene: NamedGene) -> dict[str, Any]:
    """Return a gene without its answers; see `resolve.NamedGene`."""
    return gene.model_dump(mode="json")


def _answer(found: Resolution, genes: Mapping[int, Gene], selection: Selection) -> dict[str, Any]:
    query = storable(found.name)
    if found.candidates:
        return {
            "query": query,
            "ambiguous": True,
            "resolved_by": found.resolved_by,
            "candidates": [named(candidate) for candidate in found.candidates],
        }
    gene = found.gene
    if gene is not None and gene.id is not None and gene.id in genes:
        return {"query": query, "_id": gene.hgnc_id, **found_gene(found, genes[gene.id])}
    return {
        "query": query,
        "notfound": True,
        "reason": _reason(found, selection),
        "gene": None if gene is None else named(gene),
    }


def _reason(found: Resolution, selection: Selection) -> str:
    if not found.name.strip():
        return "the identifier is blank"
    if found.gene is None:
        return "no gene has this name"
    if found.gene.id is not None and selection.moment.at is not None:
        return f"{found.gene.symbol} was not in this database at that moment"
    return f"{found.gene.symbol} is not in this database"
