"""The declaration of ClinVar: its hosts, limits and settings.

NCBI allows 3 requests a second, or 10 with a key. It asks for POST in long requests, and for
``tool`` and ``email`` in each (https://www.ncbi.nlm.nih.gov/books/NBK25497/). A request may ask for
500 summaries in JSON (NCBI's refusal: "Maximum number of UIDs is 500 for JSON format output"). The
files have no documented limit.
"""

from datetime import timedelta

from pydantic import Field, SecretStr

from app.annotation.sources.declaration import SourceInfo
from app.annotation.upstream.host import Host
from app.annotation.upstream.settings import UpstreamSettings

EUTILS = Host(
    name="ncbi",
    title="NCBI's E-utilities (ClinVar by API)",
    url="https://eutils.ncbi.nlm.nih.gov/entrez/eutils",
    setting="ncbi_eutils_url",
    rate=3,
    rate_setting="ncbi_rate",
    rate_with_key=10,
    concurrency=8,
    # a page of 500 copy numbers that cover hundreds of genes each has some 25 MB
    max_body=64 * 1024**2,
)
FILES = Host(
    name="ncbi-files",
    title="ClinVar's bulk files",
    url="https://ftp.ncbi.nlm.nih.gov/pub/clinvar",
    setting="clinvar_files_url",
    rate=1,
    concurrency=2,
    # the compressed table has some 500 MB
    max_download=4 * 1024**3,
)


class ClinVarSettings(UpstreamSettings):
    """How this installation identifies itself to NCBI."""

    ncbi_api_key: SecretStr | None = Field(None, json_schema_extra={"section": "Access to NCBI"})
    """Your NCBI API key. It raises NCBI's limit from 3 to 10 requests a second."""

    ncbi_email: str | None = Field(
        None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        json_schema_extra={"section": "Access to NCBI"},
    )
    """Your e-mail address, to which NCBI writes before it blocks an installation."""


SUMMARIES_PER_REQUEST = 500
"""Summaries for each request."""

TOOL = "kidney-genetics"

TABLE_FILE = "tab_delimited/variant_summary.txt.gz"

INFO = SourceInfo(
    name="clinvar",
    title="ClinVar",
    licence="public domain (NCBI)",
    licence_url="https://www.ncbi.nlm.nih.gov/home/about/policies/",
    attribution="ClinVar, National Center for Biotechnology Information",
    hosts=(EUTILS, FILES),
    settings=ClinVarSettings,
    batch_size=200,
    batch_weight=5_000,  # some 11 requests, or 4 seconds at NCBI's 3 a second
    concurrency=3,
    freshness=timedelta(days=7),  # weekly releases of the table
    needs=frozenset({"entrez_id"}),
    gene_page="https://www.ncbi.nlm.nih.gov/clinvar/?term={symbol}%5Bgene%5D",
    bulk_threshold=500,
    min_genes=15_000,
)


def parameters(settings: ClinVarSettings, key: str | None) -> dict[str, str]:
    """Return the parameters that tell NCBI who sends a request."""
    parameters = {"tool": TOOL, "email": settings.ncbi_email, "api_key": key}
    return {name: value for name, value in parameters.items() if value}
