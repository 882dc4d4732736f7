from collections.abc import Sequence
from math import exp, floor
from statistics import NormalDist

from sandbox.mixing import mix

#: TTN's share of all variants of 5,000 genes: 17,000 of 200,000.
_LARGEST_PART = 0.085
_LARGEST = "TTN"
# A log-normal distribution whose median is half of the overall mean without TTN
# (ln(0.915 / 0.5) = sigma ** 2 / 2): with 40 a gene on average, half the genes have under 25.
_SIGMA = 1.1


def variant_counts(
    symbols: Sequence[str], without: Sequence[bool], average: int, skew: str, seed: int
) -> list[int]:
    """Return the number of variants that begin in each gene, in the order of the symbols.

    Args:
        symbols: the symbols of the genes.
        without: for each gene, whether it has no variants.
        average: the average number of variants per gene. `flat` gives each gene between half and
            one and a half of it; `clinvar` gives exactly `average * len(symbols)` in all.
        skew: `flat` or `clinvar`.
        seed: the seed of the distribution.
    """
    if skew == "flat":
        return [
            0 if none else average // 2 + mix(seed, index) % (average + 1)
            for index, none in enumerate(without)
        ]
    total = average * len(symbols)
    counts = [0] * len(symbols)
    having = [index for index, none in enumerate(without) if not none]
    if not having:
        return counts
    largest = symbols.index(_LARGEST) if _LARGEST in symbols else having[0]
    counts[largest] = floor(total * _LARGEST_PART)
    others = sorted((i for i in having if i != largest), key=lambda index: mix(seed, index))
    if not others:
        return counts
    normal = NormalDist()
    parts = [
        exp(_SIGMA * normal.inv_cdf((rank + 0.5) / len(others))) for rank in range(len(others))
    ]
    scale = (total - counts[largest]) / sum(parts)
    for index, part in zip(others, parts, strict=True):
        counts[index] = max(1, floor(part * scale)) if average else 0
    # Rounding down leaves some variants: the largest genes get one more each.
    left = total - sum(counts)
    for step in range(max(0, left)):
        counts[others[-1 - step % len(others)]] += 1
    return counts
