"""The usual names of columns that list genes."""

import re
from collections.abc import Iterable
from typing import Literal

from app.annotation.genes.cells import IdKind, Kind

Hint = Kind | Literal["any id", "unnamed"]
"""What a column's name suggests: one kind of name, any kind of id, or nothing."""

_NAMES: dict[Hint, tuple[str, ...]] = {
    "HGNC id": (
        "hgnc_id", "hgnc", "hgncid", "hgnc_gene_id", "hgnc_accession", "hgnc_ids", "hgnc_number",
    ),
    "symbol": (
        "symbol", "gene", "genes", "gene_symbol", "approved_symbol", "hgnc_symbol", "genesymbol",
        "symbols", "gene_name", "gene_symbols", "approved_gene_symbol", "hgnc_approved_symbol",
        "external_gene_name", "genename",
    ),
    "Entrez id": (
        "entrez_id", "entrez", "entrezid", "entrez_gene_id", "entrez_gene", "entrezgene",
        "entrezgene_id", "ncbi_gene_id", "ncbi_gene", "ncbi_geneid", "ncbi_id",
        "ncbi_gene_formerly_entrezgene_id", "ncbi_gene_id_supplied_by_ncbi",
    ),
    "Ensembl id": (
        "ensembl_gene_id", "ensembl_id", "ensembl", "ensembl_gene", "ensembl_gene_id_version",
        "ensg", "gene_stable_id", "gene_stable_id_version", "ensembl_id_supplied_by_ensembl",
    ),
    "any id": ("gene_id", "geneid", "gene_ids"),
    "unnamed": ("",),
}  # fmt: skip

HINTS: dict[str, tuple[Hint, int]] = {
    name: (hint, place) for hint, names in _NAMES.items() for place, name in enumerate(names)
}
"""The hint of each column name, and its rank among the names with the same hint."""

ID_KINDS: tuple[IdKind, ...] = ("HGNC id", "Entrez id", "Ensembl id")


def column_name(cell: str) -> str:
    """Return a column name as in :data:`HINTS`: ``Gene stable ID`` gives ``gene_stable_id``."""
    return re.sub(r"[^a-z0-9]+", "_", cell.lower()).strip("_")


def known(cells: Iterable[str]) -> int:
    """Count the cells that name a column of genes."""
    return sum(1 for cell in cells if cell.strip() and column_name(cell) in HINTS)


def allowed() -> str:
    """Return the usual column names of each kind, for messages."""
    shown_counts: dict[Kind, int] = {"HGNC id": 2, "symbol": 6, "Entrez id": 2, "Ensembl id": 2}
    return "; ".join(", ".join(_NAMES[kind][:count]) for kind, count in shown_counts.items())
