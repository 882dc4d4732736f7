"""The sources of annotations, in the order in which they run."""

import httpx

from app.annotation.sources.base import Connector, Source
from app.annotation.sources.clinvar import ClinVar
from app.annotation.sources.ensembl import Ensembl
from app.annotation.sources.hgnc import Hgnc
from app.core.config import Settings
from app.core.redis.rate_limits import RateLimiter

SOURCES: dict[str, type[Source]] = {source.info.name: source for source in (Hgnc, Ensembl, ClinVar)}


def build(name: str, settings: Settings, limiter: RateLimiter, http: httpx.AsyncClient) -> Source:
    """Connect a source to its upstreams, for one attempt."""
    return SOURCES[name](Connector(settings, limiter, http))
