import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import ClassVar, NamedTuple
from urllib.parse import quote

import msgspec

from app.annotation.sources.base import (
    BULK_LIST,
    Answer,
    Connector,
    FileRead,
    Gene,
    SourceInfo,
    all_of,
)
from app.annotation.sources.fetched import read_fetched
from app.annotation.sources.hgnc_records import (
    APPROVED,
    COMPLETE_SET,
    FIELDS,
    WITHDRAWN_STATUSES,
    Record,
)
from app.annotation.upstream import BadAnswer, Host, Upstream

READ = "app.annotation.sources.hgnc_records:read"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=T|$)", re.ASCII)

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
    storedFields: list[str]  # noqa: N815 - HGNC's name


class _Info(NamedTuple):
    """What the service says of itself: its last change, and what it has no field for any more."""

    day: str
    missing: list[str]


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
        self._info: _Info | BadAnswer | None = None
        self._asking = asyncio.Lock()
        self._read: list[FileRead] = []
        self._from_file = False

    @property
    def requests(self) -> int:
        """Upstream requests sent so far by this object."""
        return self._rest.requests + self._files.requests

    @property
    def files(self) -> Sequence[FileRead]:
        """The complete set, once ``bulk`` has read it."""
        return self._read

    async def release(self) -> str:
        """Return the day of the file once it is read, the service's last change otherwise."""
        if self._release is None:
            found = (await self._ask_info()).day
            self._release = self._release or found
        return self._release or "unknown"

    async def weights(self, genes: Sequence[Gene]) -> Sequence[int]:
        """Every gene is one request."""
        return [1] * len(genes)

    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Fetch each gene; one whose answer is bad does not spoil the others.

        A record leaves out what has no value. So it is the service that has to say that it still
        has the fields: one that was renamed would look as if no gene had it.
        """
        if self._from_file:
            self._release, self._from_file = None, False
        missing = (await self._ask_info()).missing
        if missing:
            raise BadAnswer(f"HGNC has no field {', '.join(missing)} any more")
        return await all_of(self._fetch(gene) for gene in genes)

    async def bulk(self, genes: AsyncIterator[Gene]) -> AsyncGenerator[list[Answer], None]:
        """Read the complete set; see :class:`~app.annotation.sources.base.Source`."""
        due = {gene.hgnc_id: gene async for gene in genes}
        read: list[FileRead] = []
        reading = read_fetched(self._files, COMPLETE_SET, READ, list(due), of=Record, read=read)
        async with aclosing(reading) as lists:
            async for records in lists:
                yield [
                    _answer(due.pop(record.hgnc_id), record)
                    for record in records
                    if record.hgnc_id in due
                ]
        self._read = read
        self._release, self._from_file = read[0].release, True
        rest = list(due.values())
        for start in range(0, len(rest), BULK_LIST):
            yield [Answer(gene.id, "absent") for gene in rest[start : start + BULK_LIST]]

    async def _ask_info(self) -> _Info:
        """Ask what the service says of itself, once; what it cannot be read for is said again."""
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
            return Answer(gene.id, "unknown", reason=f"HGNC answered about {', '.join(about)}")
        return _answer(gene, records[0])


def hgnc_files(connect: Connector) -> Upstream:
    """Return a client of HGNC's bulk files."""
    return connect.upstream(FILES, connect.settings.hgnc_files_url)


def _answer(gene: Gene, record: Record) -> Answer:
    if record.status in WITHDRAWN_STATUSES:
        return Answer(gene.id, "absent")
    if record.status != APPROVED:
        reason = f"HGNC calls its status {record.status!r}, which is not known here"
        return Answer(gene.id, "unknown", reason=reason)
    if lacking := record.lacking():
        reason = f"HGNC's record has no {', '.join(lacking)}"
        return Answer(gene.id, "unknown", reason=reason)
    return Answer(gene.id, "found", record.data(), identifiers=record.identifiers())


def _decode_fetch(body: bytes) -> list[Record]:
    found = msgspec.json.decode(body, type=_FetchAnswer).response
    if found.numFound != len(found.docs):
        raise BadAnswer(f"{len(found.docs)} of {found.numFound} records")
    return found.docs


def _decode_info(body: bytes) -> _Info:
    info = msgspec.json.decode(body, type=_InfoAnswer)
    day = _DAY.match(info.lastModified)
    if day is None:
        raise BadAnswer(f"a last change that is no date: {info.lastModified[:40]!r}")
    return _Info(day[0], [name for name in FIELDS if name not in info.storedFields])
