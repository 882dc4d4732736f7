import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from app.annotation.sources.answers import MAX_ANSWERS, Answer, Gene
from app.annotation.sources.base import ApiSource, FileSource, all_of
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.hgnc.data import HgncData
from app.annotation.sources.hgnc.records import (
    APPROVED,
    COMPLETE_SET,
    FIELDS,
    WITHDRAWN,
    WITHDRAWN_STATUSES,
    Record,
)
from app.annotation.sources.pictures import Heading
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.probing import ask_about_a_gene, has_columns
from app.annotation.upstream.cache import Download
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.host import Host

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=T|$)", re.ASCII)

REST = Host(
    name="hgnc",
    title="HGNC's REST service",
    url="https://rest.genenames.org",
    setting="hgnc_rest_url",
    rate=10,
    rate_setting="hgnc_rate",
    concurrency=5,
)
"""10 requests a second (https://www.genenames.org/help/rest/)."""

FILES = Host(
    name="hgnc-files",
    title="HGNC's bulk files",
    url="https://storage.googleapis.com/public-download-files/hgnc",
    setting="hgnc_files_url",
    rate=1,
    concurrency=1,
)
"""A storage bucket without a documented limit."""


class _Found(msgspec.Struct):
    numFound: int  # noqa: N815 - HGNC's name
    docs: list[Record]


class _FetchAnswer(msgspec.Struct):
    response: _Found


class _InfoAnswer(msgspec.Struct):
    lastModified: str  # noqa: N815 - HGNC's name
    storedFields: list[str]  # noqa: N815 - HGNC's name


class _Info(NamedTuple):
    """The service's own description: the day of its last change, and the fields that it lacks."""

    day: str
    missing: list[str]


async def _probe(connect: Connector) -> str:
    return await ask_about_a_gene(connect, Hgnc)


async def _probe_files(connect: Connector) -> str:
    return await has_columns(connect, FILES, COMPLETE_SET, FIELDS)


class Hgnc(ApiSource, FileSource):
    """The gene's approved symbol, its other names, and its identifiers in other databases.

    A gene whose HGNC record has been withdrawn is absent.
    """

    info = SourceInfo(
        name="hgnc",
        title="HGNC",
        licence="CC0",
        licence_url="https://www.genenames.org/about/license/",
        attribution="HGNC Database, HUGO Gene Nomenclature Committee, www.genenames.org",
        hosts=(REST, FILES),
        freshness=timedelta(days=30),
        gene_page="https://www.genenames.org/data/gene-symbol-report/#!/hgnc_id/{hgnc_id}",
        provides=frozenset({"symbol", "ensembl_gene_id", "entrez_id"}),
        bulk_threshold=50,
        batch_size=50,
        min_genes=18_000,  # some 41,000 approved genes have both ids, and 19,000 encode a protein
    )
    data = HgncData
    pictures = (
        Heading(
            name="name",
            facts=(
                ("Location", "location"),
                ("Locus type", "locus_type"),
                ("Previous symbols", "prev_symbol"),
                ("Aliases", "alias_symbol"),
                ("OMIM", "omim_id"),
                ("UniProt", "uniprot_ids"),
                ("MANE Select", "mane_select"),
                ("RefSeq", "refseq_accession"),
            ),
        ),
    )
    service = REST
    file = BulkFile(FILES, (COMPLETE_SET,), "app.annotation.sources.hgnc.reader:read")
    beside = (WITHDRAWN,)
    probes = (
        HostProbe(
            host=REST,
            title="HGNC answers",
            why="While HGNC does not answer, runs that refresh symbols and identifiers wait.",
            ask=_probe,
        ),
        HostProbe(
            host=FILES,
            title="HGNC's bulk file has the columns that are read",
            symptom="`just genes-import` cannot get HGNC's list.",
            why="The import of genes and runs with many genes need HGNC's file.",
            ask=_probe_files,
        ),
    )

    def __init__(self, connect: Connector) -> None:
        super().__init__(connect)
        self._rest = self.upstream(REST)
        self._info: _Info | BadAnswer | None = None
        self._asking = asyncio.Lock()

    async def release(self) -> str:
        """Return the day of the service's last change."""
        return (await self._ask_info()).day

    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Fetch each gene. A bad answer about one gene does not affect the others.

        A record leaves out fields without a value. So the service is asked whether it still has the
        fields, because a renamed field would look as if no gene had it.
        """
        missing = (await self._ask_info()).missing
        if missing:
            raise BadAnswer(f"HGNC has no field {', '.join(missing)} any more")
        return await all_of(self._fetch(gene) for gene in genes)

    async def bulk(self, genes: Sequence[Gene]) -> AsyncGenerator[list[Answer], None]:
        """Read the complete set; see :meth:`FileSource.bulk`."""
        due = {gene.hgnc_id: gene for gene in genes}
        async with aclosing(self.read(list(due), of=Record)) as lists:
            async for records in lists:
                yield [
                    _answer(due.pop(record.hgnc_id), record)
                    for record in records
                    if record.hgnc_id in due
                ]
        rest = list(due.values())
        for start in range(0, len(rest), MAX_ANSWERS):
            yield [Answer(gene.id, "absent") for gene in rest[start : start + MAX_ANSWERS]]

    async def withdrawn(self) -> Download:
        """Return a local copy of the list of withdrawn genes.

        Raises:
            BadAnswer: there is no such file.
            Wait: it cannot be downloaded now.
        """
        return await self._files.download(WITHDRAWN)

    async def _ask_info(self) -> _Info:
        """Ask for the service's description once. An error is remembered and raised again."""
        async with self._asking:
            if self._info is None:
                try:
                    self._info = await self._rest.request("GET", "info", decode=_decode_info)
                except BadAnswer as error:
                    self._info = error
            if isinstance(self._info, BadAnswer):
                raise self._info
            return self._info

    async def _fetch(self, gene: Gene) -> Answer:
        path = f"fetch/hgnc_id/{quote(gene.hgnc_id, safe=':')}"
        try:
            records = await self._rest.request("GET", path, decode=_decode_fetch)
        except BadAnswer as error:
            return Answer(gene.id, "unknown", reason=str(error))
        if not records:
            return Answer(gene.id, "absent")
        about = [record.hgnc_id for record in records]
        if about != [gene.hgnc_id]:
            return Answer(gene.id, "unknown", reason=f"HGNC answered with {', '.join(about)}")
        answer = _answer(gene, records[0])
        # the names in the file are written together, see app.annotation.genes.identity
        return replace(answer, names=records[0].names()) if answer.state == "found" else answer


def _answer(gene: Gene, record: Record) -> Answer:
    if record.status in WITHDRAWN_STATUSES:
        return Answer(gene.id, "absent")
    if record.status != APPROVED:
        reason = f"this version does not know HGNC's status {record.status!r}"
        return Answer(gene.id, "unknown", reason=reason)
    if lacking := record.lacking():
        reason = f"HGNC's record has no {', '.join(lacking)}"
        return Answer(gene.id, "unknown", reason=reason)
    return Answer(gene.id, "found", record.data(), identifiers=record.identifiers())


def _decode_fetch(body: bytes) -> list[Record]:
    found = msgspec.json.decode(body, type=_FetchAnswer).response
    if found.numFound != len(found.docs):
        raise BadAnswer(f"received {len(found.docs)} of {found.numFound} records")
    return found.docs


def _decode_info(body: bytes) -> _Info:
    info = msgspec.json.decode(body, type=_InfoAnswer)
    day = _DAY.match(info.lastModified)
    if day is None:
        raise BadAnswer(f"the last change is not a date: {info.lastModified[:40]!r}")
    return _Info(day[0], [name for name in FIELDS if name not in info.storedFields])
