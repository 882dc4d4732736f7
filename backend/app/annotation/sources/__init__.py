"""The sources of annotations: one module, or one package, for each.

A source of up to about 250 lines is one module: its hosts, the structure of its data, its reader,
and its class. A larger one is a package, which exports its class. There, `data` has the structure,
`reader` has the function ``read`` that reads the files, `source` has the hosts and the class (or
`declaration` has the hosts and settings, if both are long), and other modules are named for what
they read or compute.

:data:`SOURCES` is the registry. `base` is the form of a source, `declaration` is what it
declares, and `answers` is what it is asked about and gives. `connector` connects it to its hosts,
and `probe` and `probing` are what the doctor asks it. `collected` makes a file of a
service's answers, `keyed` groups the rows of a file by gene, `ontology` tells which terms are below
others, and `structure` describes the data of an answer. `accepted_files` compares a file with the
one accepted last, within the `thresholds` that are settings, and `names` are the names of a gene.
`hgnc` also resolves gene lists; no other source is used by its name.
"""

from typing import TYPE_CHECKING

from app.annotation.sources.base import Source
from app.annotation.sources.clingen import ClinGen
from app.annotation.sources.clinvar import ClinVar
from app.annotation.sources.descartes import Descartes
from app.annotation.sources.ensembl import Ensembl
from app.annotation.sources.gencc import Gencc
from app.annotation.sources.gnomad import Gnomad
from app.annotation.sources.gtex import Gtex
from app.annotation.sources.hgnc import Hgnc
from app.annotation.sources.hpo import Hpo
from app.annotation.sources.mgi import Mgi
from app.annotation.sources.orphanet import Orphanet
from app.annotation.sources.panelapp import PanelApp
from app.annotation.sources.pubmed import PubMed
from app.annotation.sources.stringdb import StringDb
from app.annotation.sources.uniprot import UniProt

if TYPE_CHECKING:
    import httpx

    from app.annotation.upstream.settings import UpstreamSettings
    from app.core.redis.rate_limits import RateLimiter

__all__ = [
    "SOURCES",
    "accepted_files",
    "answers",
    "base",
    "build",
    "collected",
    "connector",
    "declaration",
    "hgnc",
    "keyed",
    "names",
    "ontology",
    "probe",
    "probing",
    "structure",
    "thresholds",
]
"""The names and modules that others may use."""

SOURCES: dict[str, type[Source]] = {
    source.info.name: source
    for source in (
        Hgnc,
        Ensembl,
        ClinVar,
        Gnomad,
        ClinGen,
        Gencc,
        PanelApp,
        Orphanet,
        Hpo,
        Mgi,
        UniProt,
        StringDb,
        Gtex,
        Descartes,
        PubMed,
    )
}
"""In the order in which they are listed for people: what identifies genes, then variants, diseases,
phenotypes, proteins, expression and articles. In a run, a source begins when those that fill the
columns that it needs have ended."""


def build(
    name: str, settings: "UpstreamSettings", limiter: "RateLimiter", http: "httpx.AsyncClient"
) -> Source:
    """Connect a source to its hosts, for one attempt."""
    from app.annotation.sources.connector import Connector

    return SOURCES[name](Connector(settings, limiter, http))
