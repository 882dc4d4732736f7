"""MGI's files, its setting, and its declaration."""

from datetime import timedelta
from typing import Any

from pydantic import Field

from app.annotation.sources.base import FileSource
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.mgi.data import MgiData
from app.annotation.sources.ontology import organ_terms
from app.annotation.sources.pictures import Terms
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.probing import HEADER_BYTES
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.host import Host
from app.annotation.upstream.settings import UpstreamSettings

FILES = Host(
    name="mgi-files",
    title="MGI's reports",
    url="https://www.informatics.jax.org/downloads/reports",
    setting="mgi_files_url",
    rate=1,
    concurrency=1,
    # MGI_GenePheno.rpt has some 50 MB
    max_download=512 * 1024**2,
)
"""A folder of files without a documented limit."""

ORTHOLOGS, GENOTYPES = "HMD_HumanPhenotype.rpt", "MGI_GenePheno.rpt"
ONTOLOGY = "MPheno_OBO.ontology"


class MgiSettings(UpstreamSettings):
    """Which organ is studied."""

    mgi_organ_terms: str = Field(
        "MP:0005367",
        pattern=r"^MP:[0-9]{7}(,\s*MP:[0-9]{7})*$",
        json_schema_extra={"section": "The studied organ"},
    )
    """The terms of the organ in the Mammalian Phenotype Ontology, separated by commas. A gene's
    terms below them are its `organ_terms`. The default is the renal and urinary system."""


async def _probe(connect: Connector) -> str:
    from app.annotation.sources.mgi.files import ortholog_row

    start = await connect.upstream(FILES).start_of(ORTHOLOGS, HEADER_BYTES)
    line = start.decode("utf-8", "replace").partition("\n")[0]
    if ortholog_row(line.rstrip("\r").split("\t")) is None:
        raise BadAnswer(f"{ORTHOLOGS} has another layout: {line[:80]!r}")
    return f"{ORTHOLOGS} has its layout"


class Mgi(FileSource):
    """The mouse orthologs of a gene, and the phenotypes of mice with mutations in them.

    A gene is found if it has an ortholog in `HMD_HumanPhenotype.rpt`, and absent otherwise. This
    file also has the top-level phenotypes of each ortholog, such as MP:0005367. More specific
    phenotypes come from `MGI_GenePheno.rpt`. Which of them concern the organ is computed from MGI's
    ontology, `MPheno_OBO.ontology`. A gene with a phenotype that the ontology does not contain is
    unknown. The setting `MGI_ORGAN_TERMS` selects another organ than the kidney.
    """

    info = SourceInfo(
        name="mgi",
        title="Mouse Genome Informatics",
        licence="CC BY 4.0",
        licence_url="https://www.informatics.jax.org/mgihome/other/copyright.shtml",
        attribution="Mouse Genome Informatics (MGI), www.informatics.jax.org",
        hosts=(FILES,),
        freshness=timedelta(days=30),
        needs=frozenset({"entrez_id"}),
        settings=MgiSettings,
        # in May 2026, 28,880 rows had more than 20,000 human genes
        min_genes=15_000,
    )
    data = MgiData
    pictures = (
        Terms(
            title="Phenotypes of mice",
            field="phenotypes",
            first="organ_terms",
            first_title="Of the organ",
            rest_title="Topmost terms",
        ),
    )
    # MGI replaces its reports one after the other, and the ontology with each report of genotypes
    file = BulkFile(
        FILES,
        (ORTHOLOGS, GENOTYPES, ONTOLOGY),
        "app.annotation.sources.mgi.reader:read",
        watched=(ORTHOLOGS, GENOTYPES),
    )
    probes = (
        HostProbe(
            host=FILES,
            title="MGI's report of orthologs has the layout that is read",
            why="Runs of MGI wait for these files, and fail if their layout has changed.",
            ask=_probe,
        ),
    )

    @classmethod
    def options(cls, settings: UpstreamSettings) -> dict[str, Any]:
        """Return the terms of the organ."""
        assert isinstance(settings, MgiSettings)
        return {"organ_terms": organ_terms(settings.mgi_organ_terms)}
