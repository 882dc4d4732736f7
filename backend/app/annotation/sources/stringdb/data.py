"""What STRING says about a gene."""

from typing import Annotated

from msgspec import Struct

from app.annotation.sources.structure import identified_by, unit

Partners = Annotated[int, unit("partners")]
"""A number of partners."""

MAX_PARTNERS = 30
"""The most partners that are listed by name."""

LEVELS = (400, 700, 900)
"""The scores from which STRING calls the confidence medium, high and highest."""


class Partner(Struct, frozen=True):
    """Another gene whose protein binds to a protein of the gene or is in a complex with it."""

    symbol: str | None
    """STRING's preferred name of the partner's protein, which is a gene symbol. Null if STRING
    names the protein only by its Ensembl id."""

    hgnc_id: str | None
    """The HGNC id of the partner. Null if STRING has none for the protein."""

    protein: str
    """STRING's id of the partner's protein: the taxon and the Ensembl protein id. If the partner
    has several proteins, the first one by id."""

    score: Annotated[int, unit("score 0-1000")]
    """STRING's combined score of the physical link: 1000 times the probability that the proteins
    are in one complex. If the gene or the partner has several proteins, the best score."""


class StringDbData(Struct, frozen=True):
    """The gene's physical interaction partners in STRING."""

    proteins: list[str]
    """STRING's ids of the gene's proteins: the taxon and the Ensembl protein id. Most genes have
    one."""

    partners_400: Partners
    """The number of partners with a score of at least 400 (STRING: medium confidence)."""

    partners_700: Partners
    """The number of partners with a score of at least 700 (STRING: high confidence)."""

    partners_900: Partners
    """The number of partners with a score of at least 900 (STRING: highest confidence)."""

    strongest_partners: Annotated[list[Partner], identified_by("protein")]
    """The partners with the highest scores, at most 30, the highest score first."""
