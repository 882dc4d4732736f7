"""PubMed: the articles about each gene, as NCBI's Gene database links them.

``gene2pubmed.gz`` has tens of millions of short lines of all species. Its reader runs in a process
of its own (see `upstream.bulk_files`), and is written for speed. One thread
decompresses outside the interpreter's lock. A block without a human row is searched, and not split
into lines.
"""

from array import array
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from msgspec import Struct

from app.annotation.sources.answers import Gene
from app.annotation.sources.base import FileSource
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.keyed import ReaderRequest, in_parts, lacks
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.probing import has_columns
from app.annotation.sources.structure import MOVES, unit
from app.annotation.upstream.bulk_files.lines import UnusableFile, blocks_of_text, opened_ahead
from app.annotation.upstream.bulk_files.messages import Count, Reading
from app.annotation.upstream.host import Host

FILES = Host(
    name="ncbi-gene-files",
    title="NCBI's Gene files",
    url="https://ftp.ncbi.nlm.nih.gov/gene/DATA",
    setting="ncbi_gene_files_url",
    rate=1,
    concurrency=1,
    # the file has some 250 MB
    max_download=2 * 1024**3,
)
"""NCBI allows 3 requests a second. Together with ClinVar's files, which are on the same host and
have a budget of 1 a second, this is less."""

TABLE = "gene2pubmed.gz"


COLUMNS = ("tax_id", "GeneID", "PubMed_ID")

MAX_ARTICLES = 20
"""The most articles that are listed."""

_HUMAN = b"9606"
_MAX_LINE_BYTES = 1 << 12
_MAX_BYTES = 32 * 1024**3  # decompressed; the real file has 1.5 GB
_MAX_ID = 1 << 32


class PubMedData(Struct, frozen=True):
    """The articles about a gene."""

    articles: Annotated[int, MOVES, unit("articles")]
    """The number of distinct PubMed articles that NCBI Gene links to the gene. These links are
    curated (by NCBI Gene, model organism databases and protein annotation), so a search for the
    symbol in PubMed finds more articles."""

    newest_pmids: Annotated[list[Annotated[int, unit("PubMed id")]], MOVES]
    """The PubMed ids of the newest of these articles, at most 20, the newest first. The order is
    that in which the articles were added to PubMed."""


def read(request: Any, path: Path) -> Reading:
    """Return the articles about each requested gene. This is the file's reader."""
    genes = ReaderRequest.of(request).genes
    reader = _Articles(gene.entrez_id for gene in genes if gene.entrez_id)
    with opened_ahead(path) as stream:
        for block in blocks_of_text(stream, max_line=_MAX_LINE_BYTES, max_size=_MAX_BYTES):
            reader.add(block)
    if not reader.genes:
        raise UnusableFile(f"{path.name} has no human gene")
    answers = (_answer(gene, reader) for gene in genes)
    return Reading([Count(reader.rows, len(reader.genes))], in_parts(answers))


class _Articles:
    """Collects the articles of genes from blocks of lines.

    Attributes:
        rows: the number of rows, of all species.
        genes: the human genes that have articles, asked for or not.
        found: the articles of the genes that were asked for; one may occur again.
    """

    def __init__(self, requested: Iterator[str]) -> None:
        self.rows = -1  # the header is no row
        self.genes: set[bytes] = set()
        self.found = {each.encode(): array("I") for each in requested}

    def add(self, block: bytes) -> None:
        """Read a block of whole lines. The first line of the first block is the header."""
        if self.rows < 0:
            header = block.partition(b"\n")[0].decode("utf-8", "replace").strip("#\r").split("\t")
            if header != list(COLUMNS):
                missing = [name for name in COLUMNS if name not in header] or header
                raise UnusableFile(f"the table has no column {', '.join(missing)[:200]}")
        self.rows += block.count(b"\n")
        begins = block.startswith(_HUMAN + b"\t")
        start = 0 if begins else block.find(b"\n" + _HUMAN + b"\t") + 1
        if begins or start:
            self._add_human(block[start:-1].split(b"\n"))

    def _add_human(self, lines: Sequence[bytes]) -> None:
        last, articles = b"", None
        for line in lines:
            try:
                taxon, gene, article = line.split(b"\t")
                number = int(article) if article.isdigit() and taxon.isdigit() else 0
            except ValueError:
                number = 0
            if not 0 < number < _MAX_ID or not gene.isdigit():
                shown = line[:60].decode("utf-8", "replace")
                raise UnusableFile(f"the table has a row that is none: {shown!r}")
            if taxon != _HUMAN:
                continue
            if gene != last:
                last, articles = gene, self.found.get(gene)
                self.genes.add(gene)
            if articles is not None:
                articles.append(number)


def _answer(gene: Gene, reader: _Articles) -> PubMedData | str | None:
    if gene.entrez_id is None:
        return lacks("entrez_id")
    articles = set(reader.found[gene.entrez_id.encode()])
    if not articles:
        return None
    return PubMedData(len(articles), sorted(articles, reverse=True)[:MAX_ARTICLES])


async def _probe(connect: Connector) -> str:
    return await has_columns(connect, FILES, TABLE, COLUMNS)


class PubMed(FileSource):
    """The number of PubMed articles about a gene, and the newest of them.

    The articles are those that NCBI Gene links to the gene. A gene without such an article is
    absent. The file names genes by Entrez id, so a gene without an Entrez id is unknown.
    """

    info = SourceInfo(
        name="pubmed",
        title="PubMed",
        licence="public domain (NCBI)",
        licence_url="https://www.ncbi.nlm.nih.gov/home/about/policies/",
        attribution="NCBI Gene and PubMed, National Center for Biotechnology Information",
        hosts=(FILES,),
        freshness=timedelta(days=30),  # the file is replaced daily
        needs=frozenset({"entrez_id"}),
        gene_page="https://pubmed.ncbi.nlm.nih.gov/?linkname=gene_pubmed&from_uid={entrez_id}",
        # Nearly all of the 19,000 protein-coding genes have an article, as have many others.
        min_genes=18_000,
    )
    data = PubMedData
    file = BulkFile(FILES, (TABLE,), "app.annotation.sources.pubmed:read")
    probes = (
        HostProbe(
            host=FILES,
            title="NCBI's gene2pubmed has the columns that are read",
            why="Runs of PubMed wait for this file, and fail if its columns have changed.",
            ask=_probe,
        ),
    )
