from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DEFAULT_CACHE = Path(__file__).resolve().parents[2] / ".run" / "sandbox"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a sandbox. Processes with equal options give equal answers.

    Attributes:
        genes: the number of genes; None means 5,000, or all of `gene_list` if given.
        limits: `real` enforces the services' rates, `off` disables them.
        rates: the requests a second by budget, which override `limits`.
        variants_per_gene: the average number of variants of a gene.
        skew: the distribution of variants: `flat` is even, `clinvar` is that of ClinVar, where TTN
            has 8.5 % of all variants and half of the genes have about half of the average or less.
        gene_list: a TSV file with the columns `symbol` and `hgnc_id`. Its genes come first,
            followed by synthetic ones.
        gene_specific_summary: a file to serve as `gene_specific_summary.txt`. The genes get their
            Entrez ids from it.
        seed: the seed of the variants.
        cache_dir: the folder that keeps generated files between starts.
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
