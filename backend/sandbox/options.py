from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

#: Requests per second of the public services. NCBI: 3 by address, 10 with an API key (E-utilities
#: help, "Usage Guidelines"); Ensembl REST: 15 (its wiki, "Rate Limits"); HGNC REST: 10 (its help).
REAL_RATES = {"ncbi": 3.0, "ncbi_with_key": 10.0, "ensembl": 15.0, "hgnc": 10.0}

#: What a client is told when nothing limits it here.
UNLIMITED_RATE = 10_000

DEFAULT_CACHE = Path(__file__).resolve().parents[2] / ".run" / "sandbox"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a sandbox serves. Equal options give the same answers in any process.

    Attributes:
        genes: number of genes; None means 5,000, or all of `gene_list` when one is given.
        limits: `real` enforces the services' rates, `off` enforces none.
        rates: requests per second by budget (`ncbi` with and without key, `ensembl`, `hgnc`)
            instead of what `limits` says.
        variants_per_gene: ClinVar variants per gene on average.
        skew: `flat` spreads them evenly; `clinvar` as ClinVar does: TTN has 8.5 % of all, half of
            the genes have about half of the average.
        gene_list: TSV with the columns `symbol` and `hgnc_id`: these genes come first, synthetic
            ones after them.
        gene_specific_summary: served as `gene_specific_summary.txt` in place of the generated one;
            the genes take their Entrez ids from it.
        seed: another seed, other variants.
        cache_dir: where generated files are kept between starts.
    """

    genes: int | None = None
    limits: Literal["real", "off"] = "real"
    rates: dict[str, float] = field(default_factory=dict)
    variants_per_gene: int = 40
    skew: Literal["flat", "clinvar"] = "flat"
    gene_list: Path | None = None
    gene_specific_summary: Path | None = None
    seed: int = 1
    cache_dir: Path = DEFAULT_CACHE

    def allowed(self) -> dict[str, float | None]:
        """Requests per second by budget; None is no limit."""
        allowed: dict[str, float | None] = {
            budget: rate if self.limits == "real" else None for budget, rate in REAL_RATES.items()
        }
        allowed.update(self.rates)
        if "ncbi" in self.rates and "ncbi_with_key" not in self.rates:
            allowed["ncbi_with_key"] = self.rates["ncbi"]
        return allowed
