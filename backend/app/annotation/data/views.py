"""Describes the JSON of genes with their answers for OpenAPI; `shapes` writes it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.annotation.genes.resolve import RESOLVED_BY, NamedGene
from app.core.text.field_docs import View, one_of

_ANSWERS = one_of(("found", "absent", "unknown"))


class OriginFile(View):
    """A file or service that an answer came from."""

    address: str
    """The address, without secrets."""
    sha256: str | None
    """The SHA-256 digest of the downloaded file; null if a service was asked."""


class Origin(View):
    """Where an answer came from."""

    run_id: int | None
    """The run that fetched the answer. For a moment in the past, null if a later run had fetched
    the same answer again by then, because only the first run is stored."""
    files: list[OriginFile]
    """The files of the answer, or the service that was asked."""
    parser: str
    """The version of this product's parser of the source."""


class Annotation(View):
    """What a source says about a gene."""

    state: Annotated[str, _ANSWERS]
    """`found`, `absent` (the source has no data) or `unknown` (it could not be found out)."""
    data: dict[str, Any] | None
    """The data, if found. Each source has its own keys. With `fields`, only the selected ones."""
    release: str | None
    """The release of the source that gave the answer."""
    valid_from: datetime
    """When the state and the data last changed."""
    fetched_at: datetime | None
    """When the answer was fetched."""
    checked_state: Annotated[str, _ANSWERS] | None
    """The result of the last check. If it is `unknown`, `state` and `data` have the last good
    answer. Null for a past time, because only the last check is stored."""
    checked_at: datetime | None
    """When the source was last asked; null for a past time."""
    reason: str | None
    """Why the last check was `unknown`."""
    origin: Origin | None
    """Where the answer came from; null if there is no answer, or if a version before 0.2 fetched
    it."""
    licence: str | None
    """The licence of the source's data; null for a source that this version does not know."""


class Gene(View):
    """A gene and its annotations, by source."""

    id: int
    hgnc_id: str
    """The HGNC id with its prefix: `HGNC:9008`."""
    symbol: str
    """The approved symbol."""
    ensembl_gene_id: str | None
    """The Ensembl id without its version."""
    entrez_id: str | None
    """NCBI's GeneID."""
    withdrawn_at: datetime | None
    """When the withdrawal of the gene by HGNC was detected. The gene keeps its annotations."""
    successor: NamedGene | None
    """The gene that HGNC merged the gene into."""
    annotations: dict[str, Annotation]
    """The annotations by the name of the source; without sources that were not asked yet."""


class FoundGene(Gene):
    """A gene, and how its name was resolved."""

    resolved_by: Annotated[str, one_of(RESOLVED_BY)]
    """The kind of name in the request."""


class GenePage(View):
    """A page of genes."""

    genes: list[Gene]
    next_after: int | None
    """`after` of the next page; null when there is none."""


class GivenRelease(View):
    """A release of a source that gave an answer."""

    release: str | None
    """The name of the release; null if the upstream did not state it."""
    since: datetime
    """When it became the latest release to give the answer."""


class Version(View):
    """An answer of a source, with the period in which it was valid."""

    source: str
    state: Annotated[str, _ANSWERS]
    release: str | None
    """The last release that gave this answer."""
    releases: list[GivenRelease]
    """All releases that gave this answer, the first one first."""
    valid_from: datetime
    """When the answer became valid."""
    valid_to: datetime | None
    """The first moment at which it was no longer valid; null if it still is."""
    run_id: int | None
    """The run that stored it; null for a rollback, or if a version before 0.2 stored it."""
    replaced_by_run_id: int | None
    """The run that replaced it; null if it is still valid, or if a rollback replaced it."""
    replaced_by_rollback_id: int | None
    """The rollback that replaced it, if any."""
    data: dict[str, Any] | None = None
    """The data, if found; omitted with `data=false`."""


class VersionPage(View):
    """Versions of the answers about a gene, by source, the newest first."""

    gene: NamedGene
    versions: list[Version]
    next_after: str | None
    """`after` of the next page; null when there is none."""


class AnsweredQuery(FoundGene):
    """A gene that was found by an identifier."""

    query: str
    """The identifier as requested."""
    identifier: str = Field(alias="_id")
    """The HGNC id of the gene."""


class AmbiguousQuery(View):
    """An identifier that is ambiguous."""

    query: str
    """The identifier as requested."""
    ambiguous: Literal[True]
    resolved_by: Annotated[str, one_of(RESOLVED_BY)]
    """The kind of identifier that it is for the candidates."""
    candidates: list[NamedGene]
    """The genes that have the identifier."""


class UnansweredQuery(View):
    """An identifier for which the database has no gene."""

    query: str
    """The identifier as requested."""
    notfound: Literal[True]
    reason: str
    """The reason: no gene has the identifier, or the gene is not in the database."""
    gene: NamedGene | None
    """The gene with this identifier, if it is known but not in the database."""
