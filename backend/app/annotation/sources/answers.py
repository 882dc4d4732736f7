"""The genes that a source is asked about, its answers, and the files that it has read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from app.annotation.sources.names import GeneNames

if TYPE_CHECKING:
    from app.annotation.upstream.cache import Download

MAX_ANSWERS = 500
"""Maximum number of answers in one list of :meth:`FileSource.bulk`."""


@dataclass(frozen=True, slots=True)
class Gene:
    """A gene to annotate: a row of ``genes``.

    Args:
        id: the id of the row.
        hgnc_id: the HGNC id with its prefix.
        symbol: the approved symbol.
        ensembl_gene_id: the Ensembl id without its version.
        entrez_id: NCBI's GeneID.
        other_symbols: the former symbols that no other gene has or had.
        ambiguous_symbols: the former symbols that another gene has or had.
        merged_hgnc_ids: the HGNC ids of the genes that HGNC merged into this one.
    """

    id: int
    hgnc_id: str
    symbol: str
    ensembl_gene_id: str | None = None
    entrez_id: str | None = None
    other_symbols: tuple[str, ...] = ()
    ambiguous_symbols: tuple[str, ...] = ()
    merged_hgnc_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source says about a gene.

    Args:
        gene_id: :attr:`Gene.id`.
        state: whether the source has data, has none, or could not give a usable answer.
        data: the data as JSON, if found.
        reason: the reason, redacted, if unknown.
        identifiers: new values for columns of ``genes``.
        names: new names for ``gene_names``.
    """

    gene_id: int
    state: Literal["found", "absent", "unknown"]
    data: dict[str, Any] | None = None
    reason: str | None = None
    identifiers: dict[str, str | None] | None = None
    names: GeneNames | None = None


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read completely.

    Args:
        download: the local copy. A refused copy is discarded, so that it is downloaded again.
        digest: the SHA-256 digest of the downloaded file.
        rows: the number of rows, without the header.
        genes: the number of distinct genes in all rows, including genes that were not asked about.
    """

    download: "Download"
    digest: str
    rows: int
    genes: int

    @property
    def name(self) -> str:
        """The file's name, below the host's address."""
        return self.download.name

    @property
    def release(self) -> str:
        """The date of the file's last modification upstream."""
        return self.download.release
