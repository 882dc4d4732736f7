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
    """The name of the domain, with its number if the protein has several of them. None if UniProt
    gives it no name."""

    start: Residue | None
    """The first residue of the domain in the canonical sequence, counted from 1. None if the place
    is not exactly known."""

    end: Residue | None
    """The last residue of the domain. None if the place is not exactly known."""


class Disease(msgspec.Struct, frozen=True):
    """A disease that the protein is involved in."""

    disease: str | None
    """The name of the disease. None for a text about several or unnamed diseases."""

    abbreviation: str | None
    """UniProt's abbreviation of the name."""

    disease_id: str | None
    """The disease in OMIM, such as OMIM:173900."""

    text: str
    """What the disease is and how the protein is involved in it. Evidence tags are removed, and a
    text is cut off after 2,000 characters, where it ends with an ellipsis."""


class Protein(msgspec.Struct, frozen=True):
    """A reviewed entry of UniProtKB (Swiss-Prot)."""

    accession: str
    """The primary accession, such as P04637."""

    entry_name: str
    """The entry's name, such as P53_HUMAN. It may change."""

    protein_name: str
    """The recommended name, followed by the other names and EC numbers in parentheses."""

    gene_names: list[str]
    """The names of all genes of the entry in UniProt's order, the primary name of a gene first."""

    hgnc_ids: list[str]
    """The genes that the entry is about. Equal proteins of several genes share an entry."""

    length: Annotated[int, unit("amino acids")]
    """The number of amino acids of the canonical sequence."""

    functions: list[str]
    """What the protein does, one text for each comment; empty if UniProt says nothing of it.
    Evidence tags are removed, and a text is cut off after 4,000 characters, where it ends with an
    ellipsis."""

    domains: Annotated[list[Domain], identified_by("name", "start")]
    """The domains, in the order of the sequence."""

    subcellular_locations: list[str]
    """Where in the cell any form of the protein is, without topology and notes."""

    diseases: Annotated[list[Disease], identified_by("disease_id")]
    """The diseases that UniProt describes. Several may have no id, and a disease may occur again
    for another form of the protein."""


class UniProtData(msgspec.Struct, frozen=True):
    """The reviewed proteins of a gene."""

    entries: Annotated[list[Protein], identified_by("accession")]
    """All reviewed human entries that name the gene's HGNC id. The entry with the longest canonical
    sequence is the first one, and of equally long ones the one whose accession comes first in the
    alphabet."""
