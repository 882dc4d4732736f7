"""NCBI's gene2pubmed.gz: which articles are about which genes, of all species."""

import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.catalogue import Gene
from sandbox.mixing import mix
from sandbox.service import ServedFile, Service

_HUMAN = 9606
_OTHERS = (9, 3702, 7227, 96060, 10090, 10116)
"""Taxa of other species. One begins with the number of humans."""

_MAX_ARTICLES = 40
#: One gene of 40 has no article.
_WITHOUT_ARTICLES = 21


class PubMed(Service):
    """The file of ftp.ncbi.nlm.nih.gov/gene/DATA."""

    name = "pubmed"
    addresses: ClassVar = {"NCBI_GENE_FILES_URL": "ncbi-gene"}

    def files(self) -> Sequence[ServedFile]:
        """Return the table."""
        return (
            ServedFile(
                name="pubmed.gene2pubmed",
                path="/ncbi-gene/gene2pubmed.gz",
                write=_write,
                renames="PubMed_ID",
                numbers=("PubMed_ID",),
            ),
        )


def _write(path: Path, genes: Sequence[Gene]) -> None:
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as sink,
    ):
        sink.write("#tax_id\tGeneID\tPubMed_ID\n")
        # the rows are ordered by taxon as a number, and so by gene
        for taxon in sorted((_HUMAN, *_OTHERS)):
            for gene in sorted(genes, key=lambda each: int(each.entrez_id)):
                if taxon == _HUMAN:
                    for article in _articles(gene):
                        sink.write(f"{taxon}\t{gene.entrez_id}\t{article}\n")
                else:
                    sink.write(f"{taxon}\t{taxon + gene.index}\t{20_000_000 + gene.index}\n")


def _articles(gene: Gene) -> Iterator[int]:
    if gene.index % 40 == _WITHOUT_ARTICLES:
        return
    yield 12_477_932  # an article about many genes
    for place in range(mix(61, gene.index) % _MAX_ARTICLES):
        yield 20_000_000 + mix(62 + place, gene.index) % 19_000_000
