"""What is stored of UniProt's entries."""

from typing import Annotated

import msgspec

from app.annotation.sources.structure import identified_by, unit

Residue = Annotated[int, unit("residue, 1-based")]
"""A place in the canonical sequence."""

MAX_FUNCTION_CHARS = 4_000
MAX_DISEASE_CHARS = 2_000


class Domain(msgspec.Struct, frozen=True):
    """A domain of a protein."""

    name: str | None
    """The name of the domain, with a number if the protein has several such domains. Null if
    UniProt gives no name."""

    start: Residue | None
    """The position of the domain's first residue in the canonical sequence, counted from 1. Null if
    the position is not exactly known."""

    end: Residue | None
    """The position of the domain's last residue in the canonical sequence, counted from 1. Null if
    the position is not exactly known."""


class Disease(msgspec.Struct, frozen=True):
    """A disease that the protein is involved in."""

    disease: str | None
    """The name of the disease. Null if the text is about several diseases or about diseases without
    a name."""

    abbreviation: str | None
    """UniProt's abbreviation of the name. Null if `disease` is null."""

    disease_id: str | None
    """The id of the disease in OMIM, such as `OMIM:173900`. Null if `disease` is null."""

    text: str
    """A description of the disease and of the protein's role in it, without evidence tags. A text
    of more than 2,000 characters is cut and ends with an ellipsis."""


class Protein(msgspec.Struct, frozen=True):
    """A reviewed entry of UniProtKB (Swiss-Prot)."""

    accession: str
    """The primary accession of the entry, such as P04637."""

    entry_name: str
    """The name of the entry, such as P53_HUMAN. Unlike the accession, it may change."""

    protein_name: str
    """UniProt's recommended name of the protein, followed by other names and EC numbers in
    parentheses."""

    gene_names: list[str]
    """The names of all genes of the entry, in UniProt's order: for each gene the primary name comes
    first."""

    hgnc_ids: list[str]
    """The HGNC ids of the genes that encode the protein. Several genes share an entry if their
    proteins are identical."""

    length: Annotated[int, unit("amino acids")]
    """The length of the canonical sequence."""

    functions: list[str]
    """UniProt's comments on the function of the protein, without evidence tags. A text of more than
    4,000 characters is cut and ends with an ellipsis. Empty if there is no comment."""

    domains: Annotated[list[Domain], identified_by("name", "start")]
    """The domains of the protein, in the order of the sequence."""

    subcellular_locations: list[str]
    """The subcellular locations of all forms of the protein, without topology and notes."""

    diseases: Annotated[list[Disease], identified_by("disease_id")]
    """The diseases in which UniProt describes an involvement of the protein. A disease may occur
    several times, for different forms of the protein."""


class UniProtData(msgspec.Struct, frozen=True):
    """The reviewed proteins of a gene."""

    entries: Annotated[list[Protein], identified_by("accession")]
    """All reviewed human entries that name the gene's HGNC id. They are sorted by the length of the
    canonical sequence, the longest first, and then by accession."""
