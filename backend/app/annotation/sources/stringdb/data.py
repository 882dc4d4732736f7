"""What STRING says about a gene."""

from typing import Annotated

from msgspec import Struct

from app.annotation.sources.structure import identified_by, unit

Partners = Annotated[int, unit("partners")]
"""A number of partners."""

MOST_PARTNERS = 30
"""The most partners that are listed by name."""

LEVELS = (400, 700, 900)
"""The scores from which STRING calls the confidence medium, high and highest."""


class Partner(Struct, frozen=True):
    """Another gene with a protein that binds to a protein of the gene, or shares a complex."""

    symbol: str | None
    """STRING's preferred name of the protein, which is a gene symbol. None if STRING has no name
    for it but its Ensembl id."""

    hgnc_id: str | None
    """The HGNC id of the partner; None if STRING has none for the protein."""

    protein: str
    """STRING's id of the protein: the taxon and the Ensembl protein id. Of several proteins of the
    partner it is the first one by id."""

    score: Annotated[int, unit("score 0-1000")]
    """The combined score of the physical link, from 1 to 1000: 1000 times the probability that the
    proteins are in one complex. Of several proteins, the best score counts."""


class StringDbData(Struct, frozen=True):
    """The gene's physical interaction partners in STRING."""

    proteins: list[str]
    """STRING's ids of the gene's proteins. STRING has one protein for most genes."""

    partners_400: Partners
    """The number of partners with a score of at least 400, which STRING calls medium confidence."""

    partners_700: Partners
    """The number of partners with a score of at least 700, which STRING calls high confidence."""

    partners_900: Partners
    """The number of partners with a score of at least 900, which STRING calls highest
    confidence."""

    strongest_partners: Annotated[list[Partner], identified_by("protein")]
    """The partners with the highest scores, the highest first; at most 30."""
