import csv
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

from sandbox.known import KNOWN_GENES, KnownGene
from sandbox.options import Options
from sandbox.spread import variant_counts

DEFAULT_GENES = 5_000

#: Places (index modulo 100) of the genes that are special; well-known genes never are.
ABSENT_AT_ENSEMBL = {61}
WITHOUT_VARIANTS = {67, 89}
WITHOUT_ENSEMBL_ID = {73}

#: The first two synthetic genes have this alias, and no gene has it as its symbol.
AMBIGUOUS_ALIAS = "SYNAMBI"
_AMBIGUOUS = (1, 2)

_KNOWN_SYMBOLS = frozenset(gene.symbol for gene in KNOWN_GENES)

_CHROMOSOMES = [*map(str, range(1, 23)), "X"]
_BLOCK = 40  # genes side by side on one chromosome
_SPACING = 50_000  # bases from one gene to the next

# Every 29th variant of a gene, the first dozen of these, spans the genes that follow it.
_SHARED_EVERY = 29
_SHARED_BELOW = 12 * _SHARED_EVERY
_MAX_NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class Gene:
    """A gene of the sandbox.

    `ensembl_gene_id` is what HGNC lists (None for a few), `ensembl_id` is Ensembl's own.
    `first_variant` and `variants` define the positions of its own variants in the catalogue.
    Variants that begin in a neighbour and extend into it are additional (`Catalogue.variants_of`).
    """

    index: int
    symbol: str
    hgnc_id: str
    entrez_id: str
    ensembl_id: str
    ensembl_gene_id: str | None
    at_ensembl: bool
    name: str
    aliases: tuple[str, ...]
    previous: tuple[str, ...]
    location: str
    chromosome: str
    start: int
    strand: int
    first_variant: int = 0
    variants: int = 0


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A line of HGNC's withdrawn.txt. `merged_into` is empty for an entry without a successor."""

    hgnc_id: str
    symbol: str
    merged_into: tuple[Gene, ...]


class Catalogue:
    """All genes of a sandbox with their variants. It is immutable."""

    def __init__(self, options: Options) -> None:
        self.options = options
        ids = _entrez_ids(options.gene_specific_summary)
        genes = [
            replace(gene, entrez_id=ids.get(gene.symbol, gene.entrez_id))
            for gene in _genes(options)
        ]
        counts = variant_counts(
            [gene.symbol for gene in genes],
            # a given summary defines which genes have variants
            [gene.symbol not in ids if ids else _special(gene, WITHOUT_VARIANTS) for gene in genes],
            options.variants_per_gene,
            options.skew,
            options.seed,
        )
        first = 0
        self.genes: list[Gene] = []
        for gene, variants in zip(genes, counts, strict=True):
            self.genes.append(replace(gene, first_variant=first, variants=variants))
            first += variants
        self.variant_count = first
        self._firsts = [gene.first_variant for gene in self.genes]
        self.by_symbol = {gene.symbol.upper(): gene for gene in self.genes}
        self.by_ensembl_id = {gene.ensembl_id: gene for gene in self.genes}
        self.by_entrez_id = {gene.entrez_id: gene for gene in self.genes}
        self.withdrawn = _withdrawn(self.genes)
        self._reaching_in: dict[int, list[int]] = {}
        for gene in self.genes:
            for place in range(
                gene.first_variant + _SHARED_EVERY - 1,
                gene.first_variant + min(gene.variants, _SHARED_BELOW),
                _SHARED_EVERY,
            ):
                for other in self.spanned(gene, place)[1:]:
                    self._reaching_in.setdefault(other.index, []).append(place)

    def owner(self, place: int) -> Gene:
        """Return the gene in which the variant at a position begins."""
        return self.genes[bisect_right(self._firsts, place) - 1]

    def spanned(self, owner: Gene, place: int) -> tuple[Gene, ...]:
        """Return all genes that a variant spans, its owner first: one, or up to five neighbours."""
        local = place - owner.first_variant
        if local % _SHARED_EVERY != _SHARED_EVERY - 1 or local >= _SHARED_BELOW:
            return (owner,)
        reach = 1 + (place * 7 + self.options.seed) % _MAX_NEIGHBOURS
        following = self.genes[owner.index + 1 : owner.index + 1 + reach]
        return (
            owner,
            *(gene for gene in following if gene.variants and gene.chromosome == owner.chromosome),
        )

    def variants_of(self, gene: Gene) -> list[int]:
        """Return the positions of all variants that concern a gene."""
        own = range(gene.first_variant, gene.first_variant + gene.variants)
        return [*own, *self._reaching_in.get(gene.index, ())]


def _genes(options: Options) -> Iterator[Gene]:
    listed = _listed(options.gene_list) if options.gene_list else list(KNOWN_GENES)
    total = options.genes
    if total is None:
        total = len(listed) if options.gene_list else DEFAULT_GENES
    synthetic = (_synthetic(number) for number in count(1))
    for index, raw in enumerate(islice((*listed, *islice(synthetic, max(total, 0))), total)):
        chromosome, start, location = _place(index)
        if raw.location:
            location = raw.location
            chromosome = re.split("[pq]", location)[0]
        plain = raw.symbol in _KNOWN_SYMBOLS
        yield Gene(
            index=index,
            symbol=raw.symbol,
            hgnc_id=raw.hgnc_id,
            entrez_id=raw.entrez_id,
            ensembl_id=raw.ensembl_id,
            ensembl_gene_id=(
                None if not plain and index % 100 in WITHOUT_ENSEMBL_ID else raw.ensembl_id
            ),
            at_ensembl=plain or index % 100 not in ABSENT_AT_ENSEMBL,
            name=raw.name,
            aliases=raw.aliases,
            previous=raw.previous,
            location=location,
            chromosome=chromosome,
            start=start,
            strand=1 if index % 2 else -1,
        )


def _special(gene: Gene, places: set[int]) -> bool:
    return gene.index % 100 in places and gene.symbol not in _KNOWN_SYMBOLS


def _place(index: int) -> tuple[str, int, str]:
    chromosome = _CHROMOSOMES[(index // _BLOCK) % len(_CHROMOSOMES)]
    lap, within = index // (_BLOCK * len(_CHROMOSOMES)), index % _BLOCK
    start = 1_000_000 + (lap * _BLOCK + within) * _SPACING
    return chromosome, start, f"{chromosome}p{36 - lap % 25}.{1 + within // 14}"


def _synthetic(number: int) -> KnownGene:
    aliases: tuple[str, ...] = (f"SYNAL{number}", f"SYN-{number}A") if number % 5 == 0 else ()
    if number in _AMBIGUOUS:
        aliases = (AMBIGUOUS_ALIAS,)
    return KnownGene(
        symbol=f"SYN{number:05d}",
        hgnc_id=f"HGNC:{899_999 + number}",
        entrez_id=str(900_000_000 + number),
        ensembl_id=f"ENSG{900_000 + number:011d}",
        location="",
        name=f"synthetic gene {number}",
        aliases=aliases,
        previous=(f"SYNPV{number}",) if number % 7 == 0 else (),
    )


def _listed(path: Path) -> list[KnownGene]:
    known = {gene.symbol: gene for gene in KNOWN_GENES}
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t")
        if not {"symbol", "hgnc_id"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path}: the columns symbol and hgnc_id are required")
        rows = [(row["symbol"], row["hgnc_id"]) for row in reader]
    return [known.get(symbol) or _unknown(symbol, hgnc_id) for symbol, hgnc_id in rows]


def _unknown(symbol: str, hgnc_id: str) -> KnownGene:
    number = int(hgnc_id.removeprefix("HGNC:"))
    return KnownGene(
        symbol=symbol,
        hgnc_id=hgnc_id,
        entrez_id=str(800_000_000 + number),
        ensembl_id=f"ENSG{800_000_000 + number:011d}",
        location="",
        name=f"{symbol} (name not known to the sandbox)",
        aliases=(),
        previous=(),
    )


def _entrez_ids(summary: Path | None) -> dict[str, str]:
    if summary is None:
        return {}
    with summary.open(encoding="utf-8") as lines:
        return {row[0]: row[1] for line in lines if len(row := line.split("\t", 2)) > 2}  # noqa: PLR2004


def _withdrawn(genes: Sequence[Gene]) -> tuple[Withdrawn, ...]:
    return (
        Withdrawn("HGNC:990001", "SYNGONE1", ()),
        Withdrawn("HGNC:990002", "SYNMERGED1", tuple(genes[:1])),
        Withdrawn("HGNC:990003", "SYNSPLIT1", tuple(genes[:2])),
    )
