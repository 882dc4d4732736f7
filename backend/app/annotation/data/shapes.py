"""Writes genes with their answers as JSON.

JSON text from PostgreSQL is passed on unchanged: the data, the files of an origin, and times.
`views` describes the same shapes for OpenAPI.
"""

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType


class Origin(Struct):
    """See `views.Origin`."""

    run_id: int | None
    files: Raw
    parser: str


class Answer(Struct):
    """See `views.Annotation`."""

    state: str
    data: Raw | None
    release: str | None
    valid_from: Raw
    fetched_at: Raw | None
    checked_state: str | None
    checked_at: Raw | None
    reason: str | None
    origin: Origin | None
    licence: str | None


class Gene(Struct):
    """See `views.Gene`."""

    id: int
    hgnc_id: str
    symbol: str
    ensembl_gene_id: str | None
    entrez_id: str | None
    withdrawn_at: Raw | None
    successor: Raw | None
    annotations: dict[str, Answer]


class Version(Struct):
    """See `views.Version`."""

    source: str
    state: str
    release: str | None
    releases: Raw
    valid_from: Raw
    valid_to: Raw | None
    run_id: int | None
    replaced_by_run_id: int | None
    replaced_by_rollback_id: int | None
    data: Raw | UnsetType | None = UNSET


def raw(text: str | None) -> Raw | None:
    """Return JSON text from PostgreSQL, to be passed on unchanged."""
    return None if text is None else Raw(text)


encode = msgspec.json.Encoder().encode
"""Encodes a shape as JSON."""
