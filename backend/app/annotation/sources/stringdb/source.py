from datetime import timedelta

from app.annotation.sources.base import FileSource
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.pictures import Partners
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.probing import has_columns
from app.annotation.sources.stringdb.data import StringDbData
from app.annotation.sources.stringdb.links import LINK_COLUMNS
from app.annotation.upstream.host import Host

FILES = Host(
    name="string-files",
    title="STRING's files",
    url="https://stringdb-downloads.org/download",
    setting="string_files_url",
    rate=1,
    concurrency=1,
    max_download=256 * 1024**2,
)
"""STRING asks for one request a second (https://string-db.org/help/api/)."""

VERSION = "12.0"
_KINDS = ("protein.info", "protein.aliases", "protein.physical.links")
INFO, ALIASES, LINKS = (f"{kind}.v{VERSION}/9606.{kind}.v{VERSION}.txt.gz" for kind in _KINDS)


async def _probe(connect: Connector) -> str:
    return await has_columns(connect, FILES, LINKS, LINK_COLUMNS, separator=" ")


class StringDb(FileSource):
    """The physical interaction partners of a gene's proteins.

    Only physical links are read: STRING has evidence that the two proteins bind to each other or
    are in one complex. Proteins are assigned to genes by the HGNC ids in STRING's aliases. A
    partner with several proteins counts once, with its best score. A gene without a protein in
    STRING is absent. A gene whose proteins have no link is found and has 0 partners.
    """

    info = SourceInfo(
        name="string",
        title="STRING",
        licence="CC BY 4.0",
        licence_url="https://string-db.org/cgi/access",
        attribution=f"STRING v{VERSION}, string-db.org",
        hosts=(FILES,),
        freshness=timedelta(days=180),  # a version has lasted two years
        gene_page="https://string-db.org/cgi/network?species=9606&identifiers={symbol}",
        # Version 12.0 has 19,699 proteins, most of which have HGNC ids and links.
        min_genes=17_000,
    )
    data = StringDbData
    pictures = (
        Partners(
            title="The strongest partners",
            field="strongest_partners",
            name="symbol",
            hgnc_id="hgnc_id",
            score="score",
            maximum=1_000,
        ),
    )
    file = BulkFile(
        FILES,
        (INFO, ALIASES, LINKS),
        "app.annotation.sources.stringdb.reader:read",
        release=VERSION,
    )
    probes = (
        HostProbe(
            host=FILES,
            title="STRING's file of links has the columns that are read",
            why="Runs of STRING wait for these files, and fail if their columns have changed.",
            ask=_probe,
        ),
    )
