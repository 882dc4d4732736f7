import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import ClassVar
from urllib.parse import quote

import msgspec

from app.annotation.hgnc_records import APPROVED, COMPLETE_SET, Record, read_records
from app.annotation.sources.base import BULK_LIST, Answer, Connector, Gene, SourceInfo, all_of
from app.annotation.upstream import BadAnswer, Host, Upstream

REST = Host("hgnc", rate=10, concurrency=5)
"""10 requests a second (https://www.genenames.org/help/rest/)."""

FILES = Host("hgnc-files", rate=1, concurrency=1)
"""A storage bucket without a documented limit."""


class _Found(msgspec.Struct):
    numFound: int  # noqa: N815 - HGNC's name
    docs: list[Record]


class _FetchAnswer(msgspec.Struct):
    response: _Found


class _InfoAnswer(msgspec.Struct):
    lastModified: str  # noqa: N815 - HGNC's name


class Hgnc:
    """The gene's approved symbol, its other names, and its identifiers in other databases.

    ``data`` is :meth:`Record.data`. A record that is not approved (any more) is absent.
    """

    info: ClassVar[SourceInfo] = SourceInfo(
        name="hgnc",
        title="HGNC",
        licence="CC0",
        licence_url="https://www.genenames.org/about/license/",
        hosts=(REST, FILES),
        batch_size=50,
        batch_weight=50,
        concurrency=1,
        freshness=timedelta(days=30),
        provides=frozenset({"symbol", "ensembl_gene_id", "entrez_id"}),
        bulk_threshold=lambda settings: settings.hgnc_bulk_threshold,
    )

    def __init__(self, connect: Connector) -> None:
        settings = connect.settings
        self._rest = connect.upstream(REST, settings.hgnc_rest_url, rate=settings.hgnc_rate)
        self._files = hgnc_files(connect)
        self._release: str | None = None

    @property
    def requests(self) -> int:
        """Upstream requests sent so far by this object."""
        return self._rest.requests + self._files.requests

    async def release(self) -> str:
        """Return the day of the file once it is read, the service's last change otherwise."""
        if self._release is None:
            found = await self._rest.request("GET", "info", decode=_decode_release)
            self._release = self._release or found
        return self._release or "unknown"

    async def weights(self, genes: Sequence[Gene]) -> Sequence[int]:
        """Every gene is one request."""
        return [1] * len(genes)

    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Fetch each gene; one whose answer is bad does not spoil the others."""
        return await all_of(self._fetch(gene) for gene in genes)

    async def bulk(self, genes: AsyncIterator[Gene]) -> AsyncGenerator[list[Answer], None]:
        """Read the complete set; see :class:`~app.annotation.sources.base.Source`."""
        due = {gene.hgnc_id: gene async for gene in genes}
        file = await self._files.download(COMPLETE_SET)
        self._release = file.release
        records = read_records(file.path, due.keys())
        while found := await asyncio.to_thread(_take, records):
            yield [
                _answer(due.pop(record.hgnc_id), record)
                for record in found
                if record.hgnc_id in due
            ]
        rest = list(due.values())
        for start in range(0, len(rest), BULK_LIST):
            yield [Answer(gene.id, "absent") for gene in rest[start : start + BULK_LIST]]

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
            return Answer(gene.id, "unknown", reason=f"HGNC answered about {', '.join(about)}")
        return _answer(gene, records[0])


def hgnc_files(connect: Connector) -> Upstream:
    """Return a client of HGNC's bulk files."""
    return connect.upstream(FILES, connect.settings.hgnc_files_url)


def _answer(gene: Gene, record: Record) -> Answer:
    if record.status != APPROVED:
        return Answer(gene.id, "absent")
    return Answer(gene.id, "found", record.data(), identifiers=record.identifiers())


def _take(records: Iterator[Record]) -> list[Record]:
    return list(islice(records, BULK_LIST))


def _decode_fetch(body: bytes) -> list[Record]:
    found = msgspec.json.decode(body, type=_FetchAnswer).response
    if found.numFound != len(found.docs):
        raise BadAnswer(f"{len(found.docs)} of {found.numFound} records")
    return found.docs


def _decode_release(body: bytes) -> str:
    return msgspec.json.decode(body, type=_InfoAnswer).lastModified.split("T")[0]
