"""What Orphanet says about a gene."""

from typing import Annotated

import msgspec

from app.annotation.sources.structure import identified_by, unit


class OrphanetDisease(msgspec.Struct, frozen=True):
    """A rare disorder with which the gene is associated."""

    disease_id: str
    """The ORPHAcode of the disorder, such as `ORPHA:730`."""

    disease: str
    """The name of the disorder."""

    kind: str
    """Orphanet's type of the disorder, such as `Disease`, `Malformation syndrome` or `Clinical
    subtype`."""

    association: str
    """Orphanet's term for the relationship between the gene and the disorder, such as
    `Disease-causing germline mutation(s) in`, `Major susceptibility factor in` or `Candidate gene
    tested in`."""

    status: str
    """Whether Orphanet has assessed the association: `Assessed` or `Not yet assessed`."""

    pmids: list[Annotated[int, unit("PubMed id")]]
    """The PubMed ids of the articles that validate the association. Empty if Orphanet names
    none."""


class OrphanetData(msgspec.Struct, frozen=True):
    """The rare disorders with which a gene is associated."""

    diseases: Annotated[list[OrphanetDisease], identified_by("disease_id", "association")]
    """The disorders, sorted by ORPHAcode. A disorder occurs several times if the gene is associated
    with it in several ways."""
