import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from app.annotation.sources.base import (
    Answer,
    Connector,
    FileRead,
    Gene,
    SourceInfo,
    all_of,
)
from app.annotation.upstream import BadAnswer, Host

REST = Host("ensembl", rate=15, concurrency=4)
"""15 requests a second (https://github.com/Ensembl/ensembl-rest/wiki/Rate-Limits)."""

LOOKUP = "lookup/symbol/homo_sapiens"

_NO_SUCH_SYMBOL = "No valid lookup found for symbol"
_OF_HGNC = re.compile(r"\[Source:HGNC Symbol;Acc:(HGNC:\d+)\]")


class _Lookup(msgspec.Struct):
    """A gene as ``lookup`` gives it; novel genes have no display name, a few no description."""

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
        return {
            "ensembl_gene_id": self.id,
            "version": self.version,
            "biotype": self.biotype,
            "chromosome": self.seq_region_name,
            "start": self.start,
            "end": self.end,
            "strand": self.strand,
            "canonical_transcript": self.canonical_transcript,
            "assembly": self.assembly_name,
            "description": self.description,
            "display_name": self.display_name,
        }


class _ReleaseAnswer(msgspec.Struct):
    releases: list[int]


class Ensembl:
    """The gene's place on GRCh38 (1-based, inclusive), its biotype and canonical transcript.

    It is looked up by its approved symbol. Ensembl also finds genes by their synonyms: a record
    that names another HGNC id is another gene, and this one is absent.
    """

    info: ClassVar[SourceInfo] = SourceInfo(
        name="ensembl",
        title="Ensembl",
        licence="no restrictions",
        licence_url="https://www.ensembl.org/info/about/legal/disclaimer.html",
        hosts=(REST,),
        batch_size=1_000,  # its own refusal: "a limit of 1000 is in place"
        batch_weight=1_000,
        concurrency=2,
        freshness=timedelta(days=90),  # four releases a year
        needs=frozenset({"symbol"}),
    )

    def __init__(self, connect: Connector) -> None:
        settings = connect.settings
        self._rest = connect.upstream(REST, settings.ensembl_rest_url, rate=settings.ensembl_rate)
        self._release: str | None = None

    @property
    def requests(self) -> int:
        """Upstream requests sent so far by this object."""
        return self._rest.requests

    @property
    def files(self) -> Sequence[FileRead]:
        """There are none."""
        return ()

    async def release(self) -> str:
        """Return the number of Ensembl's release."""
        if self._release is None:
            self._release = await self._rest.request("GET", "info/data", decode=_decode_release)
        return self._release or "unknown"

    async def weights(self, genes: Sequence[Gene]) -> Sequence[int]:
        """Every gene is as much work as any other."""
        return [1] * len(genes)

    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Look all symbols up at once, and singly those that the answer leaves out.

        A symbol left out may be unknown to Ensembl or lost; only asking for it alone says which.
        """
        lookups = await self._rest.request(
            "POST",
            LOOKUP,
            json={"symbols": [gene.symbol for gene in genes]},
            decode=_decode_lookups,
        )
        left_out = [gene for gene in genes if gene.symbol not in lookups]
        answers = [_answer(gene, lookups[gene.symbol]) for gene in genes if gene.symbol in lookups]
        return answers + await all_of(self._look_up(gene) for gene in left_out)

    def bulk(self, genes: AsyncIterator[Gene]) -> AsyncGenerator[list[Answer], None]:
        """There is no bulk file to read."""
        raise NotImplementedError

    async def _look_up(self, gene: Gene) -> Answer:
        path = f"{LOOKUP}/{quote(gene.symbol, safe='')}"
        try:
            lookup = await self._rest.request("GET", path, decode=_decode_lookup)
        except BadAnswer as error:
            if _NO_SUCH_SYMBOL in str(error):
                return Answer(gene.id, "absent")
            return Answer(gene.id, "unknown", reason=str(error))
        return _answer(gene, lookup)


def _answer(gene: Gene, lookup: _Lookup) -> Answer:
    if lookup.object_type != "Gene":
        reason = f"Ensembl answered about {lookup.id}, which is a {lookup.object_type}"
        return Answer(gene.id, "unknown", reason=reason)
    named = _OF_HGNC.search(lookup.description or "")
    if named is not None and named[1] != gene.hgnc_id:
        return Answer(gene.id, "absent")
    return Answer(gene.id, "found", lookup.data())


def _decode_lookups(body: bytes) -> dict[str, _Lookup]:
    return msgspec.json.decode(body, type=dict[str, _Lookup])


def _decode_lookup(body: bytes) -> _Lookup:
    return msgspec.json.decode(body, type=_Lookup)


def _decode_release(body: bytes) -> str:
    releases = msgspec.json.decode(body, type=_ReleaseAnswer).releases
    if not releases:
        raise BadAnswer("no release")
    return str(max(releases))
