"""The registry of sources."""

from typing import TYPE_CHECKING

from app.annotation.sources.base import Source
from app.annotation.sources.clingen.source import ClinGen
from app.annotation.sources.clinvar.source import ClinVar
from app.annotation.sources.connector import Connector
from app.annotation.sources.descartes import Descartes
from app.annotation.sources.ensembl import Ensembl
from app.annotation.sources.gencc.source import Gencc
from app.annotation.sources.gnomad import Gnomad
from app.annotation.sources.gtex import Gtex
from app.annotation.sources.hgnc.source import Hgnc
from app.annotation.sources.hpo.source import Hpo
from app.annotation.sources.mgi.source import Mgi
from app.annotation.sources.orphanet.source import Orphanet
from app.annotation.sources.panelapp.source import PanelApp
from app.annotation.sources.pubmed import PubMed
from app.annotation.sources.stringdb.source import StringDb
from app.annotation.sources.uniprot.source import UniProt

if TYPE_CHECKING:
    import httpx

    from app.annotation.upstream.settings import UpstreamSettings
    from app.core.redis.rate_limits import RateLimiter

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
"""The sources in the order of lists for people: identifiers of genes, variants, diseases,
phenotypes, proteins, expression and articles. In a run, a source begins after the sources that
provide the identifiers it needs."""


def build(
    name: str, settings: "UpstreamSettings", limiter: "RateLimiter", http: "httpx.AsyncClient"
) -> Source:
    """Connect a source to its hosts, for one attempt."""
    return SOURCES[name](Connector(settings, limiter, http))
