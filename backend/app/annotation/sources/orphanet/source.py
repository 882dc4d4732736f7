"""Orphanet's file, and its declaration."""

import re
from datetime import timedelta

from app.annotation.sources.base import FileSource
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.orphanet.data import OrphanetData
from app.annotation.sources.pictures import Labels
from app.annotation.sources.probe import HostProbe
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.host import Host

FILES = Host(
    name="orphanet-files",
    title="Orphanet's files (Orphadata)",
    url="https://www.orphadata.com/data/xml",
    setting="orphanet_files_url",
    rate=1,
    concurrency=1,
    # the file has some 20 MB
    max_download=128 * 1024**2,
    redirects=True,
)
"""A folder of files without a documented limit. Its address has moved before."""

PRODUCT = "en_product6.xml"

_PROBED_BYTES = 2_048
_HEAD = re.compile(rb'<JDBOR\s[^>]*\bdate="(\d{4}-\d{2}-\d{2})')


async def _probe(connect: Connector) -> str:
    start = await connect.upstream(FILES).start_of(PRODUCT, _PROBED_BYTES)
    found = _HEAD.search(start)
    if found is None:
        raise BadAnswer(f"{PRODUCT} does not state its date")
    return f"{PRODUCT} is of {found[1].decode()}"


class Orphanet(FileSource):
    """The rare disorders with which a gene is associated.

    A gene is found if `en_product6.xml` associates it with a disorder in any way, including as a
    candidate gene; the field `association` names the way. A gene without an association is absent.
    The release is the date that the file states.
    """

    info = SourceInfo(
        name="orphanet",
        title="Orphanet",
        licence="CC BY 4.0",
        licence_url="https://www.orphadata.com/legal-notice/",
        attribution="Orphadata: free access data from Orphanet, INSERM, www.orphadata.com",
        hosts=(FILES,),
        freshness=timedelta(days=90),
        # in July 2024, there were 8,164 associations, of more than 4,000 genes
        min_genes=3_500,
    )
    data = OrphanetData
    pictures = (
        Labels(
            title="Disorders",
            field="diseases",
            name="disease",
            label="status",
            tones={"Assessed": "green", "Not yet assessed": "amber"},
            beside=(
                ("Id", "disease_id"),
                ("Association", "association"),
                ("Kind", "kind"),
                ("Articles", "pmids"),
            ),
        ),
    )
    file = BulkFile(FILES, (PRODUCT,), "app.annotation.sources.orphanet.reader:read")
    probes = (
        HostProbe(
            host=FILES,
            title="Orphanet's file states its date",
            why="Runs of Orphanet wait while its file cannot be downloaded.",
            ask=_probe,
        ),
    )
