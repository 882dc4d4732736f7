"""What HGNC says about a gene."""

from typing import Annotated

import msgspec

from app.annotation.sources.structure import BY_DEFAULT


class HgncData(msgspec.Struct, frozen=True):
    """A gene's names, and its identifiers in other databases."""

    hgnc_id: str
    """The HGNC id, with its prefix, such as `HGNC:9008`."""

    symbol: str
    """The approved symbol."""

    name: Annotated[str | None, BY_DEFAULT]
    """The approved name."""

    locus_group: str | None
    """The group of locus types, such as `protein-coding gene`."""

    locus_type: str | None
    """The type of the locus, such as `gene with protein product`."""

    location: str | None
    """The cytogenetic location, such as `16p13.3`."""

    alias_symbol: list[str]
    """Other symbols that are or were in use for the gene. HGNC never approved them for it."""

    prev_symbol: list[str]
    """Symbols that HGNC had approved for the gene in the past."""

    entrez_id: str | None
    """The Entrez id (NCBI GeneID) of the gene."""

    ensembl_gene_id: str | None
    """The Ensembl gene id, without its version."""

    omim_id: list[str]
    """OMIM numbers of the gene."""

    uniprot_ids: list[str]
    """UniProt accessions of the gene's proteins."""

    refseq_accession: list[str]
    """RefSeq accessions of the gene's transcripts."""

    mane_select: list[str]
    """The Ensembl id and the RefSeq id of the MANE Select transcript, with their versions."""

    gene_group: list[str]
    """The names of the HGNC gene groups (families) that contain the gene."""
