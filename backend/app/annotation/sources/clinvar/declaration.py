"""What ClinVar is, apart from what is done with it.

Limits: 3 requests a second, 10 with a key, POST for long ones, ``tool`` and ``email`` with each
(https://www.ncbi.nlm.nih.gov/books/NBK25497/); 500 JSON summaries a request (its own refusal:
"Maximum number of UIDs is 500 for JSON format output"). The files have no documented limit.
"""

from datetime import timedelta

from app.annotation.sources.base import SourceInfo
from app.annotation.upstream import Host

# a page of 500 copy numbers that cover hundreds of genes each is some 25 MB; the table, as it is
# compressed, has some 500 MB
EUTILS = Host("ncbi", rate=3, rate_with_key=10, concurrency=8, max_body=64 * 1024**2)
FILES = Host("ncbi-files", rate=1, concurrency=2, max_download=4 * 1024**3)

PAGE = 500
"""Summaries a request."""

TOOL = "kidney-genetics"

INFO = SourceInfo(
    name="clinvar",
    title="ClinVar",
    licence="public domain (NCBI)",
    licence_url="https://www.ncbi.nlm.nih.gov/home/about/policies/",
    hosts=(EUTILS, FILES),
    batch_size=200,
    batch_weight=5_000,  # some 11 requests, or 4 seconds at NCBI's 3 a second
    concurrency=3,
    freshness=timedelta(days=7),  # weekly releases of the table
    needs=frozenset({"entrez_id"}),
    bulk_threshold=lambda settings: settings.clinvar_bulk_threshold,
)
