from datetime import timedelta

from app.annotation.sources.base import BulkFile, FileSource, SourceInfo
from app.annotation.sources.connector import Connector
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.probing import has_columns
from app.annotation.sources.pubmed.table import COLUMNS, PubMedData
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


async def _probe(connect: Connector) -> str:
    return await has_columns(connect, FILES, TABLE, COLUMNS)


class PubMed(FileSource):
    """How many articles there are about a gene, and which are the newest.

    The articles are those that NCBI's Gene database links to the gene. A gene without any is
    absent. The file names genes by Entrez id, so a gene without one is unknown.
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
        # Nearly all of the 19,000 protein-coding genes have an article, as have many others.
        least_genes=18_000,
    )
    data = PubMedData
    file = BulkFile(FILES, (TABLE,), "app.annotation.sources.pubmed.table:read")
    probes = (
        HostProbe(
            host=FILES,
            title="NCBI's gene2pubmed has the columns that are read",
            why="Without the file, runs of PubMed wait. With other columns they fail.",
            ask=_probe,
        ),
    )
