"""The JSON of genes with their answers, as OpenAPI describes it; `shapes` is how it is written."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.annotation.genes.resolve import RESOLVED_BY, NamedGene
from app.core.text.field_docs import View, one_of

_ANSWERS = one_of(("found", "absent", "unknown"))


class OriginFile(View):
    """A file, or a service, that an answer came from."""

    address: str
    """Without secrets."""
    sha256: str | None
    """Of the file as it was downloaded; null if a service was asked."""


class Origin(View):
    """Where an answer came from."""

    run_id: int | None
    """The run that fetched the answer. Null at a moment in the past, if a later run had fetched the
    same answer again until then: only the first one is noted."""
    files: list[OriginFile]
    """The files that the answer was made of, or the service that was asked."""
    parser: str
    """The version of what this product makes of the source's data."""


class Annotation(View):
    """What a source says about a gene."""

    state: Annotated[str, _ANSWERS]
    """`found`, `absent` (the source has no data) or `unknown` (it could not be found out)."""
    data: dict[str, Any] | None
    """What was found. Each source has its own keys. With `fields`, only these."""
    release: str | None
    """The source's release from which the answer comes."""
    valid_from: datetime
    """Since when the state and the data have been as they are."""
    fetched_at: datetime | None
    """When the answer was fetched."""
    checked_state: Annotated[str, _ANSWERS] | None
    """The result of the last check. `unknown` keeps the last good answer in `state` and `data`.
    Null at a moment in the past: only the last check is stored."""
    checked_at: datetime | None
    """When the source was last asked; null at a moment in the past."""
    reason: str | None
    """Why the last check was `unknown`."""
    origin: Origin | None
    """Where the answer came from; null if there is none, or if a version before 0.2 fetched it."""
    licence: str | None
    """The licence of the source's data; null for a source that this version does not know."""


class Gene(View):
    """A gene and its annotations, by source."""

    id: int
    hgnc_id: str
    """With its prefix: `HGNC:9008`."""
    symbol: str
    """The approved symbol."""
    ensembl_gene_id: str | None
    """Without its version."""
    entrez_id: str | None
    """NCBI's GeneID."""
    withdrawn_at: datetime | None
    """When HGNC was seen to have withdrawn the gene. It keeps its annotations as they were then."""
    successor: NamedGene | None
    """The gene that HGNC merged the gene into."""
    annotations: dict[str, Annotation]
    """By the name of the source; without the sources that were not asked yet."""


class FoundGene(Gene):
    """A gene, and how its name was resolved."""

    resolved_by: Annotated[str, one_of(RESOLVED_BY)]
    """What the name in the address is for the gene."""


class GenePage(View):
    """A page of genes."""

    genes: list[Gene]
    next_after: int | None
    """`after` of the next page; null when there is none."""


class GivenRelease(View):
    """A release of a source that gave an answer."""

    release: str | None
    """Null if the upstream did not state it."""
    since: datetime
    """Since when it was the latest release that had given the answer."""


class Version(View):
    """An answer of a source, for as long as it was valid."""

    source: str
    state: Annotated[str, _ANSWERS]
    release: str | None
    """The last release that gave this answer."""
    releases: list[GivenRelease]
    """All releases that gave this answer, the first one first."""
    valid_from: datetime
    """The first moment at which it was valid."""
    valid_to: datetime | None
    """The first moment at which it was not valid any more; null if it still is."""
    run_id: int | None
    """The run that brought it; null: a rollback, or a version before 0.2."""
    replaced_by_run_id: int | None
    """The run that replaced it; null if it is valid, or if a rollback replaced it."""
    replaced_by_rollback_id: int | None
    """The rollback that replaced it."""
    data: dict[str, Any] | None = None
    """What was found; missing with `data=false`."""


class VersionPage(View):
    """Versions of the answers about a gene, by source, the newest first."""

    gene: NamedGene
    versions: list[Version]
    next_after: str | None
    """`after` of the next page; null when there is none."""


class AnsweredQuery(FoundGene):
    """A gene that an identifier names."""

    query: str
    """The identifier, as it was asked for."""
    identifier: str = Field(alias="_id")
    """The HGNC id of the gene."""


class AmbiguousQuery(View):
    """An identifier that several genes have."""

    query: str
    """The identifier, as it was asked for."""
    ambiguous: Literal[True]
    resolved_by: Annotated[str, one_of(RESOLVED_BY)]
    """What the identifier is for each candidate."""
    candidates: list[NamedGene]
    """The genes that the identifier could mean."""


class UnansweredQuery(View):
    """An identifier of no gene in the database."""

    query: str
    """The identifier, as it was asked for."""
    notfound: Literal[True]
    reason: str
    """Why: no gene has the identifier, or the gene is not in the database."""
    gene: NamedGene | None
    """The gene that the identifier means, if it is known and not in the database."""
