import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import ApiSource, all_of
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import SourceInfo
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.probing import ask_about_a_gene
from app.annotation.sources.structure import MOVES, unit
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.host import Host

REST = Host(
    name="ensembl",
    title="Ensembl's REST service",
    url="https://rest.ensembl.org",
    setting="ensembl_rest_url",
    rate=15,
    rate_setting="ensembl_rate",
    concurrency=4,
)
"""15 requests a second (https://github.com/Ensembl/ensembl-rest/wiki/Rate-Limits)."""

BY_ID = "lookup/id"
BY_SYMBOL = "lookup/symbol/homo_sapiens"

_NO_SUCH_SYMBOL = "No valid lookup found for symbol"
_OF_HGNC = re.compile(r"\[Source:HGNC Symbol;Acc:(HGNC:[0-9]+)\]")


Base = Annotated[int, unit("base, 1-based")]
"""A position on the chromosome."""


class EnsemblData(msgspec.Struct, frozen=True):
    """Where a gene is, and what it is."""

    ensembl_gene_id: str
    """The Ensembl gene id, without its version."""

    version: Annotated[int, MOVES, unit("version")]
    """The version of the Ensembl gene id. Ensembl increases it when the gene's set of transcripts
    changes."""

    biotype: str
    """Ensembl's biotype of the gene, such as `protein_coding`."""

    chromosome: str
    """The name of the sequence region without the prefix `chr`: a chromosome such as `16`, `X` or
    `MT`, or a patch or scaffold."""

    start: Base
    """The position of the first base of the gene on the forward strand, 1-based."""

    end: Base
    """The position of the last base of the gene on the forward strand, 1-based and inclusive."""

    strand: Annotated[int, unit("1 or -1")]
    """The strand: 1 is the forward strand, and -1 the reverse strand."""

    canonical_transcript: str
    """The Ensembl id of the canonical transcript, with its version."""

    assembly: str
    """The genome assembly to which the positions refer: `GRCh38`."""

    description: str | None
    """Ensembl's description: the name of the gene and where it comes from. Null if Ensembl has no
    description."""

    display_name: str | None
    """The symbol that Ensembl displays. Null for a novel gene, which has none."""


class _Lookup(msgspec.Struct):
    """A gene of ``lookup``. Novel genes have no display name, and a few have no description."""

    id: str
    version: int
    object_type: str
    biotype: str
    seq_region_name: str
    start: int
    end: int
    strand: int
    assembly_name: str
    canonical_transcript: str
    description: str | None = None
    display_name: str | None = None

    def data(self) -> dict[str, Any]:
        return msgspec.structs.asdict(
            EnsemblData(
                ensembl_gene_id=self.id,
                version=self.version,
                biotype=self.biotype,
                chromosome=self.seq_region_name,
                start=self.start,
                end=self.end,
                strand=self.strand,
                canonical_transcript=self.canonical_transcript,
                assembly=self.assembly_name,
                description=self.description,
                display_name=self.display_name,
            )
        )


_LATEST_RELEASE = 9_999
"""The largest plausible release. There are four a year, and number 115 is from 2026."""


class _ReleaseAnswer(msgspec.Struct):
    releases: list[int]


async def _probe(connect: Connector) -> str:
    return await ask_about_a_gene(connect, Ensembl)


class Ensembl(ApiSource):
    """The location of a gene on GRCh38, its biotype and its canonical transcript.

    A gene is looked up by the Ensembl id that HGNC lists for it. If HGNC lists none, or if Ensembl
    does not have this id, the gene is looked up by its approved symbol. The gene is absent if
    Ensembl has neither the id nor the symbol, or if the symbol is a synonym of another gene. The
    gene is unknown if the symbol leads to another Ensembl id than HGNC lists.
    """

    info = SourceInfo(
        name="ensembl",
        title="Ensembl",
        licence="no restrictions",
        licence_url="https://www.ensembl.org/info/about/legal/disclaimer.html",
        attribution="Ensembl, EMBL-EBI, www.ensembl.org",
        hosts=(REST,),
        freshness=timedelta(days=90),  # four releases a year
        needs=frozenset({"symbol"}),
        gene_page="https://www.ensembl.org/Homo_sapiens/Gene/Summary?g={ensembl_gene_id}",
        batch_size=1_000,  # its own refusal: "a limit of 1000 is in place"
        concurrency=2,
    )
    data = EnsemblData
    service = REST
    probes = (
        HostProbe(
            host=REST,
            title="Ensembl answers",
            why="While Ensembl does not answer, runs that refresh the locations of genes wait.",
            ask=_probe,
        ),
    )

    def __init__(self, connect: Connector) -> None:
        super().__init__(connect)
        self._rest = self.upstream(REST)
        self._release: str | None = None

    async def release(self) -> str:
        """Return the number of Ensembl's release."""
        if self._release is None:
            self._release = await self._rest.request("GET", "info/data", decode=_decode_release)
        return self._release

    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Look up all ids in one request, then the symbols of genes without an id.

        An id that Ensembl does not have is ``null`` in the answer. An id that is missing from the
        answer may have been lost, so it is looked up again alone.
        """
        ids = list(dict.fromkeys(g.ensembl_gene_id for g in genes if g.ensembl_gene_id))
        lookups = await self._look_up_ids(ids)
        answers: list[Answer] = []
        lost: list[Gene] = []
        without: list[Gene] = []
        for gene in genes:
            if gene.ensembl_gene_id is None or lookups.get(gene.ensembl_gene_id, ...) is None:
                without.append(gene)
            elif lookup := lookups.get(gene.ensembl_gene_id):
                answers.append(_answer(gene, lookup))
            else:
                lost.append(gene)
        answers += await all_of(self._again(gene) for gene in lost)
        return answers + await self._by_symbols(without)

    async def _look_up_ids(self, ids: Sequence[str]) -> dict[str, _Lookup | None]:
        if not ids:
            return {}
        return await self._rest.request(
            "POST", BY_ID, json={"ids": list(ids)}, decode=_decode_lookups
        )

    async def _again(self, gene: Gene) -> Answer:
        """Look up one id that was missing from the answer to a batch."""
        known = gene.ensembl_gene_id or ""
        try:
            lookups = await self._look_up_ids([known])
        except BadAnswer as error:
            return Answer(gene.id, "unknown", reason=str(error))
        if known not in lookups:
            return Answer(gene.id, "unknown", reason=f"Ensembl's answer lacks {known}")
        lookup = lookups[known]
        return await self._by_symbol(gene) if lookup is None else _answer(gene, lookup)

    async def _by_symbols(self, genes: Sequence[Gene]) -> list[Answer]:
        if not genes:
            return []
        lookups = await self._rest.request(
            "POST",
            BY_SYMBOL,
            json={"symbols": [gene.symbol for gene in genes]},
            decode=_decode_lookups,
        )
        there = [(gene, found) for gene in genes if (found := lookups.get(gene.symbol))]
        answers = [_answer(gene, lookup) for gene, lookup in there]
        left_out = [gene for gene in genes if not lookups.get(gene.symbol)]
        return answers + await all_of(self._by_symbol(gene) for gene in left_out)

    async def _by_symbol(self, gene: Gene) -> Answer:
        path = f"{BY_SYMBOL}/{quote(gene.symbol, safe='')}"
        try:
            lookup = await self._rest.request("GET", path, decode=_decode_lookup)
        except BadAnswer as error:
            if _NO_SUCH_SYMBOL in str(error):
                return Answer(gene.id, "absent")
            return Answer(gene.id, "unknown", reason=str(error))
        return _answer(gene, lookup)


def _answer(gene: Gene, lookup: _Lookup) -> Answer:
    """Make an answer from a record, if the record is about the gene.

    - If HGNC lists an Ensembl id for the gene, the record must have this id. If HGNC and Ensembl
      differ, the gene is unknown, because nobody can tell which of the two genes is meant.
    - If Ensembl names an HGNC id, it must be the gene's. If it is another one and HGNC lists no
      Ensembl id, the symbol was a synonym of another gene, and the gene is absent.
    - If Ensembl names no HGNC id, the Ensembl id or the display name must be the gene's.
    """
    known = gene.ensembl_gene_id
    found = f"{lookup.id} ({lookup.display_name or 'without a name'})"
    named = _OF_HGNC.search(lookup.description or "")
    if known is not None and lookup.id != known:
        reason = f"Ensembl has {found} as {gene.symbol}, but HGNC has {known}"
    elif lookup.object_type != "Gene":
        reason = f"Ensembl answered with {lookup.id}, which is a {lookup.object_type}"
    elif named is not None and named[1] == gene.hgnc_id:
        return Answer(gene.id, "found", lookup.data())
    elif named is not None and known is None:
        return Answer(gene.id, "absent")
    elif named is not None:
        reason = f"HGNC has {known} as {gene.hgnc_id}, but Ensembl has it as {named[1]}"
    elif known is not None or (lookup.display_name or "").upper() == gene.symbol.upper():
        return Answer(gene.id, "found", lookup.data())
    else:
        reason = f"Ensembl has {found} under {gene.symbol}, and names no HGNC id"
    return Answer(gene.id, "unknown", reason=reason)


def _decode_lookups(body: bytes) -> dict[str, _Lookup | None]:
    return msgspec.json.decode(body, type=dict[str, _Lookup | None])


def _decode_lookup(body: bytes) -> _Lookup:
    return msgspec.json.decode(body, type=_Lookup)


def _decode_release(body: bytes) -> str:
    releases = msgspec.json.decode(body, type=_ReleaseAnswer).releases
    if not releases or not 0 < max(releases) <= _LATEST_RELEASE:
        raise BadAnswer("no plausible release")
    return str(max(releases))
