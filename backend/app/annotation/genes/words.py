"""Says in words what names mean."""

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
"""How a name names a gene, for people. In this order they decide what a name means."""


def title(gene: NamedGene) -> str:
    """Return a gene's symbol and identifier: ``PKD1 (HGNC:9008)``."""
    return f"{gene.symbol} ({gene.hgnc_id})"


def remark(gene: NamedGene, successor: NamedGene | None = None) -> str:
    """Return what has to be known before a gene is used; empty if it is as usual."""
    if successor is not None:
        return f"withdrawn, merged into {title(successor)}"
    if gene.withdrawn_at is not None:
        return "withdrawn"
    return "not in this database" if gene.id is None else ""


def describe(found: Resolution) -> str:
    """Say what a name means: ``MLL: previous symbol of KMT2A (HGNC:7132)``."""
    if found.resolved_by is None:
        return f"{found.name}: no gene has this name"
    kind = KINDS[found.resolved_by]
    if found.gene is None:
        return f"{found.name}: {kind} of {len(found.candidates):,} genes"
    is_own = found.resolved_by in {"symbol", "withdrawn symbol"}
    said = kind if is_own else f"{kind} of {title(found.gene)}"
    return ", ".join(filter(None, [f"{found.name}: {said}", remark(found.gene, found.successor)]))


def summary(found: Found) -> str:
    """Say in a sentence what was found."""
    if found.resolution.resolved_by is not None:
        return f"{describe(found.resolution)}."
    number = len(found.matches)
    if number:
        more = "More than " if found.more else ""
        begin = "gene has a name that begins" if number == 1 else "genes have names that begin"
        return f"{more}{number:,} {begin} with {found.q}."
    near = " These names are near to it." if found.near else ""
    return f"No gene has the name {found.q}.{near}"
