from datetime import timedelta

from app.annotation.sources.base import FileSource
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.gencc.data import TONES, GenccData
from app.annotation.sources.gencc.reader import is_known
from app.annotation.sources.pictures import Verdicts
from app.annotation.sources.probe import HostProbe
from app.annotation.upstream.host import Host

FILES = Host(
    name="gencc-files",
    title="GenCC's submissions",
    url="https://thegencc.org",
    setting="gencc_files_url",
    rate=1,
    concurrency=1,
    max_download=256 * 1024**2,
)
"""The site allows about 60 requests a minute, and 20 downloads a day for each address. Requests for
the headers, and for a file that has not changed, do not count (https://thegencc.org/download).

So the daily limit needs no budget here: the file is downloaded only when its ``ETag`` differs from
that of the copy, and GenCC replaces it once a week. When the limit is reached nevertheless, GenCC
answers 429 with the time until the next day, and the run waits.
"""

SUBMISSIONS = "download/action/submissions-export-tsv?format=new"
"""The new layout. The file had 46,548 rows and 27 MB in September 2026."""


async def _probe(connect: Connector) -> str:
    # a request for the headers is free, and one for the first bytes counts as a download
    release = await connect.upstream(FILES).release_of(SUBMISSIONS)
    return f"the submissions are of {release.name}"


class Gencc(FileSource):
    """The evidence for a gene's relationships with diseases, as classified by the submitters.

    GenCC maps the genes, diseases and classifications of its submitters to common terms; these are
    stored. If a submitter has several submissions for one gene, disease and mode of inheritance,
    the newest one is stored. A gene without a submission is absent.
    """

    info = SourceInfo(
        name="gencc",
        title="GenCC",
        licence="CC0",
        licence_url="https://thegencc.org/terms",
        attribution="The Gene Curation Coalition (GenCC), thegencc.org, and its submitters",
        hosts=(FILES,),
        freshness=timedelta(days=30),
        gene_page="https://search.thegencc.org/genes/{hgnc_id}",
        # 4,629 genes in May 2022
        # (https://blog.genenames.org/hgnc/2022/06/10/Gene-Curation-Coalition-Flagship-Paper)
        min_genes=4_000,
    )
    data = GenccData
    pictures = (
        Verdicts(
            title="Validity for each disease",
            field="submissions",
            name="disease",
            identifier="disease_id",
            label="classification",
            tones=TONES,
            beside=(
                ("Submitter", "submitter"),
                ("Inheritance", "mode_of_inheritance"),
                ("Date", "date"),
                ("Report", "report_url"),
            ),
        ),
    )
    file = BulkFile(FILES, (SUBMISSIONS,), "app.annotation.sources.gencc.reader:read")
    probes = (
        HostProbe(
            host=FILES,
            title="GenCC answers",
            why="Runs of GenCC wait while its file cannot be downloaded.",
            ask=_probe,
        ),
    )

    @classmethod
    def knows_term(cls, term: str) -> bool:
        """Tell whether this version knows a classification or a mode of inheritance."""
        return is_known(term)
