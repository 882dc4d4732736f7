"""Describes resolved names in words."""

from app.annotation.genes.resolve import NamedGene, Resolution
from app.annotation.genes.search import Found

KINDS = {
    "hgnc_id": "HGNC id",
    "ensembl_gene_id": "Ensembl id",
    "entrez_id": "Entrez id",
    "symbol": "approved symbol",
    "withdrawn symbol": "symbol",
    "previous symbol": "previous symbol",
    "alias": "alias",
}
"""The kinds of names for people, in order of precedence."""


def title(gene: NamedGene) -> str:
    """Return a gene's symbol and identifier: ``PKD1 (HGNC:9008)``."""
    return f"{gene.symbol} ({gene.hgnc_id})"


def remark(gene: NamedGene, successor: NamedGene | None = None) -> str:
    """Return a warning about a gene that is withdrawn or not in the database; empty for others."""
    if successor is not None:
        return f"withdrawn, merged into {title(successor)}"
    if gene.withdrawn_at is not None:
        return "withdrawn"
    return "not in this database" if gene.id is None else ""


def describe(found: Resolution) -> str:
    """Describe the meaning of a name: ``MLL: previous symbol of KMT2A (HGNC:7132)``."""
    if found.resolved_by is None:
        return f"{found.name}: no gene has this name"
    kind = KINDS[found.resolved_by]
    if found.gene is None:
        return f"{found.name}: {kind} of {len(found.candidates):,} genes"
    is_own = found.resolved_by in {"symbol", "withdrawn symbol"}
    meaning = kind if is_own else f"{kind} of {title(found.gene)}"
    return ", ".join(
        filter(None, [f"{found.name}: {meaning}", remark(found.gene, found.successor)])
    )


def summary(found: Found) -> str:
    """Describe the search result in one sentence."""
    if found.resolution.resolved_by is not None:
        return f"{describe(found.resolution)}."
    number = len(found.matches)
    if number:
        more = "More than " if found.more else ""
        begin = "gene has a name that begins" if number == 1 else "genes have names that begin"
        return f"{more}{number:,} {begin} with {found.q}."
    near = " These names are similar to it." if found.near else ""
    return f"No gene has the name {found.q}.{near}"
