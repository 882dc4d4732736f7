"""ClinVar by API: one search for many genes, then the summaries page by page.

The search joins the genes' symbols by OR and leaves its result on NCBI's history server.
``esummary`` returns it in pages of 500, which are reduced to counts as they come. A variant of
several genes is fetched once. The search returns only the total number of variants, which is
compared with the number of variants received.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from app.annotation.sources.base import all_of
from app.annotation.sources.clinvar.aggregate import Tally
from app.annotation.sources.clinvar.attribution import MAX_GENES, GeneIndex, RequestedGene
from app.annotation.sources.clinvar.declaration import EUTILS, SUMMARIES_PER_REQUEST
from app.annotation.sources.clinvar.summaries import (
    Search,
    Variant,
    decode_search,
    decode_summaries,
)

if TYPE_CHECKING:
    from app.annotation.upstream import Upstream

T = TypeVar("T")

_SEARCHABLE = re.compile(r"[\w.@'/+:-]{1,64}", re.ASCII)


def searchable(symbol: str) -> bool:
    """Whether a search can contain a symbol without a change of its meaning (``A-GAMMA3'E``)."""
    return _SEARCHABLE.fullmatch(symbol) is not None


def search_term(symbols: Iterable[str]) -> str:
    """Return the search for variants of any of the genes. Quotes make AND, OR and NOT symbols."""
    return " OR ".join(f'"{symbol}"[gene]' for symbol in symbols if searchable(symbol))


@dataclass
class Counted:
    """The counts of one search.

    Attributes:
        tallies: the counts of each gene.
        expected: the number of variants that the search found.
        alleles: the number of received variants that are not combinations, such as haplotypes.
        belonging: the number of alleles that belong to a requested gene.
        left_out: for each gene, by its position, the number of its alleles that are not counted
            because they have more than :data:`~.attribution.MAX_GENES` genes.
        corrected: the genes with other symbols, if ClinVar used others.
    """

    tallies: list[Tally]
    expected: int = 0
    alleles: int = 0
    belonging: int = 0
    left_out: Counter[int] = field(default_factory=Counter)
    corrected: list[RequestedGene] | None = None
    _seen: set[str] = field(default_factory=set)

    @property
    def received(self) -> int:
        """The number of different variants that were received."""
        return len(self._seen)

    def add(self, variants: Iterable[Variant], requested: GeneIndex) -> None:
        """Count a page of variants."""
        for variant in variants:
            if variant.uid in self._seen:
                continue
            self._seen.add(variant.uid)
            found = [requested.find(str(gene.geneid), gene.symbol) for gene in variant.genes]
            places = {place for place in found if place is not None}
            genes = len({(gene.geneid, gene.symbol) for gene in variant.genes})
            self.alleles += variant.is_allele
            self.belonging += variant.is_allele and bool(places)
            if not variant.is_allele:
                continue
            if genes > MAX_GENES:
                self.left_out.update(places)
                continue
            for place in places:
                self.tallies[place].add(
                    variant.profile,
                    variant.consequence,
                    variant.evaluated,
                    single_gene=genes == 1,
                )


async def count_variants(upstream: "Upstream", genes: Sequence[RequestedGene]) -> Counted:
    """Search for the genes' variants and count all of them, once.

    Raises:
        BadAnswer: the answers cannot be used. Missing variants do not raise it; compare
            ``expected`` with :meth:`Counted.received`.
    """
    counted = Counted([Tally() for _ in genes])
    term = search_term(symbol for gene in genes for symbol in gene.symbols)
    if not term:
        return counted
    search = await _ask(
        upstream,
        "esearch.fcgi",
        {"term": term, "usehistory": "y", "retmax": 0},
        decode_search,
    )
    counted.expected = search.found
    requested = GeneIndex(genes)
    starts = iter(range(0, search.found, SUMMARIES_PER_REQUEST))

    async def take_pages() -> None:
        for start in starts:
            page = await _page(upstream, search, start)
            counted.add(page, requested)
            if not page:  # variants are missing, so the remaining pages are useless
                _exhaust(starts)

    await all_of(take_pages() for _ in range(EUTILS.concurrency))
    counted.corrected = requested.corrected()
    return counted


async def _page(upstream: "Upstream", search: Search, start: int) -> list[Variant]:
    """Fetch a page. It is empty if the history server has dropped the search."""
    return await _ask(
        upstream,
        "esummary.fcgi",
        {
            "WebEnv": search.web_env,
            "query_key": search.query_key,
            "retstart": start,
            "retmax": SUMMARIES_PER_REQUEST,
        },
        decode_summaries,
    )


async def _ask(
    upstream: "Upstream", path: str, asked: dict[str, str | int], decode: Callable[[bytes], T]
) -> T:
    data = {"db": "clinvar", "retmode": "json", **asked}
    return await upstream.request("POST", path, data=data, decode=decode)


def _exhaust(starts: Iterator[int]) -> None:
    for _ in starts:
        pass
