"""HPO's files, its setting, and its declaration."""

from datetime import timedelta
from typing import Any

from pydantic import Field

from app.annotation.sources.base import FileSource
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.hpo.data import HpoData
from app.annotation.sources.hpo.files import DISEASE_COLUMNS, GENE_COLUMNS, MAX_LINES_BEFORE
from app.annotation.sources.ontology import organ_terms
from app.annotation.sources.pictures import Rows, Terms
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.probing import has_columns
from app.annotation.upstream.host import Host
from app.annotation.upstream.settings import UpstreamSettings

FILES = Host(
    name="hpo-files",
    title="HPO's files",
    url="https://purl.obolibrary.org/obo",
    setting="hpo_files_url",
    rate=5,
    concurrency=1,
    max_download=128 * 1024**2,
    redirects=True,
)
"""OBO's permanent addresses, without a documented limit. `hp/hpoa/` redirects to the latest release
of HPO at GitHub (https://github.com/OBOFoundry/purl.obolibrary.org, `config/hp.yml`), and GitHub
redirects to its storage."""

HPOA = "hp/hpoa/phenotype.hpoa"
GENES = "hp/hpoa/genes_to_phenotype.txt"
ONTOLOGY = "hp/hpoa/hp.json"
"""The file of the same release as the other two. `hp.json` alone redirects to GitHub's main branch,
which may be newer."""


class HpoSettings(UpstreamSettings):
    """Which organ is studied."""

    hpo_organ_terms: str = Field(
        "HP:0000077,HP:0000079",
        pattern=r"^HP:[0-9]{7}(,\s*HP:[0-9]{7})*$",
        json_schema_extra={"section": "The studied organ"},
    )
    """The HPO terms of the organ, separated by commas. A gene's terms below them are its
    `organ_terms`. The default is the kidney and the urinary system."""


async def _probe(connect: Connector) -> str:
    await has_columns(connect, FILES, GENES, GENE_COLUMNS)
    return await has_columns(connect, FILES, HPOA, DISEASE_COLUMNS, lines_before=MAX_LINES_BEFORE)


class Hpo(FileSource):
    """The diseases that HPO links to a gene, their phenotypes, and those of the kidney.

    A gene is found if it has a row in `genes_to_phenotype.txt`, and absent otherwise. The names and
    the modes of inheritance of the diseases come from `phenotype.hpoa`. Which phenotypes concern
    the organ is computed from `hp.json`. All three files must be of the same release. A gene with a
    phenotype that the ontology does not contain is unknown. The setting `HPO_ORGAN_TERMS` selects
    another organ than the kidney.
    """

    info = SourceInfo(
        name="hpo",
        title="Human Phenotype Ontology",
        licence="HPO licence (free, with attribution; terms may not be changed)",
        licence_url="https://human-phenotype-ontology.github.io/license.html",
        attribution="Human Phenotype Ontology, www.human-phenotype-ontology.org",
        hosts=(FILES,),
        freshness=timedelta(days=30),
        needs=frozenset({"entrez_id"}),
        gene_page="https://hpo.jax.org/browse/gene/NCBIGene:{entrez_id}",
        settings=HpoSettings,
        # more than 5,000 genes have had rows since 2023; the first files of this layout had 4,900
        min_genes=4_000,
    )
    data = HpoData
    pictures = (
        Terms(
            title="Phenotypes",
            field="terms",
            first="organ_terms",
            first_title="Of the organ",
            rest_title="Others",
        ),
        Rows(
            title="Diseases",
            field="diseases",
            columns=(
                ("Disease", "disease"),
                ("Id", "disease_id"),
                ("Modes of inheritance", "mode_of_inheritance_ids"),
            ),
            names={"mode_of_inheritance_ids": "modes_of_inheritance"},
        ),
    )
    file = BulkFile(FILES, (HPOA, GENES, ONTOLOGY), "app.annotation.sources.hpo.reader:read")
    probes = (
        HostProbe(
            host=FILES,
            title="HPO's tables have the columns that are read",
            why="Runs of HPO wait for these files, and fail if their columns have changed.",
            ask=_probe,
        ),
    )

    @classmethod
    def options(cls, settings: UpstreamSettings) -> dict[str, Any]:
        """Return the terms of the organ."""
        assert isinstance(settings, HpoSettings)
        return {"organ_terms": organ_terms(settings.hpo_organ_terms)}
