from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DEFAULT_CACHE = Path(__file__).resolve().parents[2] / ".run" / "sandbox"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a sandbox. Equal options give the same answers in any process.

    Attributes:
        genes: number of genes; None means 5,000, or all of `gene_list` when one is given.
        limits: `real` enforces the services' rates, `off` enforces none.
        rates: requests a second by budget, in place of what `limits` says.
        variants_per_gene: the average number of variants of a gene.
        skew: `flat` spreads them evenly; `clinvar` as the real ones are: TTN has 8.5 % of all, half
            of the genes have about half of the average.
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
