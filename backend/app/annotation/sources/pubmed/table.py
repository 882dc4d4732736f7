"""Reads ``gene2pubmed.gz``: tens of millions of short lines of all species.

This runs in a process of its own (see `upstream.bulk_files`), and is written for speed. One thread
decompresses outside the interpreter's lock. A block without a human row is searched, and not split
into lines.
"""

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

from isal import igzip_threaded
from msgspec import Struct

from app.annotation.sources.base import MAX_ANSWERS, Gene
from app.annotation.sources.keyed import Asked
from app.annotation.upstream.bulk_files.lines import BLOCK, UnusableFile, blocks_of_text
from app.annotation.upstream.bulk_files.messages import Count, Reading

COLUMNS = ("tax_id", "GeneID", "PubMed_ID")

MOST_ARTICLES = 20
"""The most articles that are listed."""

_HUMAN = b"9606"
_MAX_LINE_BYTES = 1 << 12
_MAX_BYTES = 32 * 1024**3  # decompressed; the real file has 1.5 GB
_MAX_ID = 1 << 32


class PubMedData(Struct, frozen=True):
    """The articles about a gene."""

    articles: int
    """The number of different articles in PubMed that NCBI's Gene database links to the gene. The
    curators of Gene, of model organism databases and of the annotation of proteins make these
    links, so they are fewer than a search for the symbol finds."""

    newest_pmids: list[int]
    """The PubMed ids of the newest of these articles, at most 20, the newest first. PubMed gives
    its ids in the order in which articles are added."""


def read(asked: Any, path: Path) -> Reading:
    """Return the articles about each gene that is asked for. This is the file's reader."""
    genes = Asked.of(asked).genes
    reader = _Articles(gene.entrez_id for gene in genes if gene.entrez_id)
    opened = igzip_threaded.open(path, "rb", block_size=BLOCK)  # type: ignore[no-untyped-call]
    with cast("IO[bytes]", opened) as stream:
        for block in blocks_of_text(stream, longest=_MAX_LINE_BYTES, most=_MAX_BYTES):
            reader.add(block)
    if not reader.genes:
        raise UnusableFile(f"{path.name} has no human gene")
    return Reading([Count(reader.rows, len(reader.genes))], _parts(genes, reader))


class _Articles:
    """Collects the articles of genes from blocks of lines.

    Attributes:
        rows: the number of rows, of all species.
        genes: the human genes that have articles, asked for or not.
        found: the articles of the genes that were asked for; one may occur again.
    """

    def __init__(self, wanted: Iterator[str]) -> None:
        self.rows = -1  # the header is no row
        self.genes: set[bytes] = set()
        self.found = {each.encode(): array("I") for each in wanted}

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


def _parts(genes: Sequence[Gene], reader: _Articles) -> Iterator[list[PubMedData | str | None]]:
    for start in range(0, len(genes), MAX_ANSWERS):
        yield [_answer(gene, reader) for gene in genes[start : start + MAX_ANSWERS]]


def _answer(gene: Gene, reader: _Articles) -> PubMedData | str | None:
    if gene.entrez_id is None:
        return "the gene has no Entrez id, and the source names genes by it"
    articles = set(reader.found[gene.entrez_id.encode()])
    if not articles:
        return None
    return PubMedData(len(articles), sorted(articles, reverse=True)[:MOST_ARTICLES])
