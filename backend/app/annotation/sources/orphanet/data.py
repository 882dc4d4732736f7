"""What Orphanet says about a gene."""

from typing import Annotated

import msgspec

from app.annotation.sources.structure import identified_by, unit


class OrphanetDisease(msgspec.Struct, frozen=True):
    """A rare disorder with which the gene is associated."""

    disease_id: str
    """The disorder in Orphanet: `ORPHA:` and its code."""

    disease: str
    """The disorder's name."""

    kind: str
    """What the disorder is in Orphanet's classification, such as `Disease`, `Malformation syndrome`
    or `Clinical subtype`."""

    association: str
    """What the gene has to do with the disorder, in Orphanet's words, such as `Disease-causing
    germline mutation(s) in`, `Major susceptibility factor in` or `Candidate gene tested in`."""

    status: str
    """Whether Orphanet has assessed the association: `Assessed` or `Not yet assessed`."""

    pmids: list[Annotated[int, unit("PubMed id")]]
    """The PubMed ids of the articles by which the association was validated. The list is empty if
    Orphanet names none."""


class OrphanetData(msgspec.Struct, frozen=True):
    """The rare disorders with which a gene is associated."""

    diseases: Annotated[list[OrphanetDisease], identified_by("disease_id", "association")]
    """The disorders, in the order of their codes. One of them has several entries if the gene is
    associated with it in several ways."""
