"""What a source is asked about, and what it gives: genes, answers, and the files it has read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from app.annotation.sources.names import GeneNames

if TYPE_CHECKING:
    from app.annotation.upstream.cache import Download

MAX_ANSWERS = 500
"""The most answers in one list of :meth:`FileSource.bulk`."""


@dataclass(frozen=True, slots=True)
class Gene:
    """A gene to annotate: a row of ``genes``.

    Args:
        id: of the row.
        hgnc_id: with its prefix.
        symbol: that HGNC approved.
        ensembl_gene_id: without its version.
        entrez_id: NCBI's GeneID.
        other_symbols: former symbols that can mean no other gene.
        ambiguous_symbols: former symbols that can mean another gene, too.
        merged_hgnc_ids: of the genes that HGNC merged into this one.
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
        state: whether the source has something, has nothing, or could not be asked.
        data: JSON, when found.
        reason: a redacted sentence, when unknown.
        identifiers: columns of ``genes`` with the values to write there.
        names: the gene's names, to write to ``gene_names``.
    """

    gene_id: int
    state: Literal["found", "absent", "unknown"]
    data: dict[str, Any] | None = None
    reason: str | None = None
    identifiers: dict[str, str | None] | None = None
    names: GeneNames | None = None


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read to its end.

    Args:
        download: the local copy. A refused copy is discarded, so that it is downloaded again.
        digest: the SHA-256 of the file as it was downloaded.
        rows: the number of rows, without the header.
        genes: the number of different genes in all rows, wanted or not.
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
        """The day the file was last modified upstream."""
        return self.download.release
