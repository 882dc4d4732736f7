import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.call import Call, Reply
from sandbox.catalogue import Catalogue, Gene
from sandbox.clinvar import tables
from sandbox.clinvar.eutils import Eutils
from sandbox.clinvar.variants import Variants
from sandbox.limits import Verdict
from sandbox.service import Endpoint, ServedFile, Service

_WAIT = 2
"""The seconds that NCBI asks to wait (recorded answer)."""

_RATE = 3
"""The rate that a header states when the sandbox has no limit."""

# NCBI sends these errors with HTTP 200. Like NCBI's, the one of esearch contains a raw newline.
_ESEARCH_ERROR = (
    b'{"header":{"type":"esearch","version":"0.3"},"esearchresult":{"ERROR":'
    b"\"Search Backend failed: Exception:\n'the backend' cannot be reached\"}}"
)
_ESUMMARY_ERROR = (
    b'{"header":{"type":"esummary","version":"0.3"},"esummaryresult":["NCBI C++ Exception:'
    b' Error: TXCLIENT(CException::eUnknown) Read failed: EOF"]}'
)
_EINFO_ERROR = b'{"header":{"type":"einfo","version":"0.3"},"einforesult":{"ERROR":"Read failed"}}'


class ClinVar(Service):
    """Answers of eutils.ncbi.nlm.nih.gov for db=clinvar, and files of ftp.ncbi.nlm.nih.gov.

    Limits: 3 requests a second by address, 10 with an API key (E-utilities help, "Usage
    Guidelines").
    """

    name = "clinvar"
    addresses: ClassVar = {"NCBI_EUTILS_URL": "eutils", "CLINVAR_FILES_URL": "clinvar"}
    rates: ClassVar = {"ncbi": 3.0, "ncbi_with_key": 10.0}
    rate_settings: ClassVar = {"NCBI_RATE": "ncbi"}

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self.variants = Variants(catalogue)
        self.eutils = Eutils(self.variants)

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the E-utilities."""
        both = "GET POST"
        return (
            Endpoint(
                name="clinvar.esearch",
                path="/eutils/esearch.fcgi",
                answer=self.eutils.esearch,
                budget="ncbi",
                methods=both,
                miscounts=True,
                error_body=_ESEARCH_ERROR,
            ),
            Endpoint(
                name="clinvar.esummary",
                path="/eutils/esummary.fcgi",
                answer=self.eutils.esummary,
                budget="ncbi",
                methods=both,
                miscounts=True,
                has_uids=True,
                error_body=_ESUMMARY_ERROR,
            ),
            Endpoint(
                name="clinvar.einfo",
                path="/eutils/einfo.fcgi",
                answer=self.eutils.einfo,
                budget="ncbi",
                methods=both,
                error_body=_EINFO_ERROR,
            ),
        )

    def files(self) -> Sequence[ServedFile]:
        """Return the bulk files."""
        return (
            ServedFile(
                name="clinvar.variant_summary",
                path="/clinvar/tab_delimited/variant_summary.txt.gz",
                write=self._write_variants,
                renames="VariationID",
            ),
            ServedFile(
                name="clinvar.gene_specific_summary",
                path="/clinvar/tab_delimited/gene_specific_summary.txt",
                write=self._write_genes,
                renames="GeneID",
                numbers=("Alleles_reported_Pathogenic_Likely_pathogenic", "Total_alleles"),
                given=self.catalogue.options.gene_specific_summary,
            ),
        )

    def refuse(self, call: Call) -> Reply | None:
        """Refuse a key that begins with `invalid`."""
        key = call.params.get("api_key", "")
        if not key.startswith("invalid"):
            return None
        return Reply(f'{{"error":"API key invalid","api-key":"{key}"}}'.encode(), status=400)

    def client(self, budget: str, call: Call, address: str) -> tuple[str, str]:
        """Return the budget of the key, if there is one."""
        key = call.params.get("api_key")
        return (f"{budget}_with_key", key) if key else (budget, address)

    def rate_headers(self, budget: str, verdict: Verdict) -> dict[str, str]:
        """Return the header with the limit for a second."""
        del budget
        if verdict.limit is None:
            return {}
        return {
            "X-RateLimit-Limit": f"{verdict.limit:g}",
            "X-RateLimit-Remaining": str(verdict.remaining),
        }

    def too_many(
        self, budget: str, verdict: Verdict, client: str, seconds: float | None = None
    ) -> Reply:
        """Return NCBI's 429, which repeats the key."""
        body = {
            "error": "API rate limit exceeded",
            "api-key": client,
            "count": str(int(verdict.limit or _RATE) + 1),
            "limit": f"{verdict.limit or _RATE:g}",
        }
        wait = f"{_WAIT if seconds is None else seconds:g}"
        headers = {**self.rate_headers(budget, verdict), "Retry-After": wait}
        return Reply(json.dumps(body).encode(), 429, headers=headers)

    def internal_error(self, client: str) -> Reply:
        """Return NCBI's 500, which repeats the key."""
        body = {
            "error": "error forwarding request",
            "api-key": client,
            "type": "ip",
            "status": "ok",
        }
        return Reply(json.dumps(body).encode(), 500)

    def _write_variants(self, path: Path, genes: Sequence[Gene]) -> None:
        with tables.compressed(path) as sink:
            tables.write_variant_summary(self.variants, sink, genes)

    def _write_genes(self, path: Path, genes: Sequence[Gene]) -> None:
        with path.open("wb") as sink:
            tables.write_gene_specific_summary(self.variants, sink, genes)
