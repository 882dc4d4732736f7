"""What HGNC says about a gene."""

from typing import Annotated

import msgspec

from app.annotation.sources.structure import BY_DEFAULT


class HgncData(msgspec.Struct, frozen=True):
    """A gene's names, and its identifiers in other databases."""

    hgnc_id: str
    """HGNC's id, with its prefix."""

    symbol: str
    """The approved symbol."""

    name: Annotated[str | None, BY_DEFAULT]
    """The approved name."""

    locus_group: str | None
    """The group of locus types, such as `protein-coding gene`."""

    locus_type: str | None
    """What the locus is, such as `gene with protein product`."""

    location: str | None
    """The cytogenetic location, such as `16p13.3`."""

    alias_symbol: list[str]
    """Symbols that are in use for the gene, and were never approved for it."""

    prev_symbol: list[str]
    """Symbols that were approved for the gene before."""

    entrez_id: str | None
    """NCBI's GeneID."""

    ensembl_gene_id: str | None
    """Ensembl's gene id, without its version."""

    omim_id: list[str]
    """OMIM numbers of the gene."""

    uniprot_ids: list[str]
    """UniProt accessions of the gene's proteins."""

    refseq_accession: list[str]
    """RefSeq accessions of the gene's transcripts."""

    mane_select: list[str]
    """The MANE Select transcript: its Ensembl and its RefSeq id, with versions."""

    gene_group: list[str]
    """The names of the gene's groups, or families."""
