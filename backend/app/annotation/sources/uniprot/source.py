import asyncio
import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from app.annotation.sources.collected import Collected, CollectedSource, Pieces
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.uniprot.data import UniProtData
from app.annotation.sources.uniprot.entries import COLUMNS, FIELDS, is_entry
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.host import Host
from app.annotation.upstream.release import Release

logger = logging.getLogger(__name__)

REST = Host(
    name="uniprot",
    title="UniProt's REST service",
    url="https://rest.uniprot.org",
    setting="uniprot_rest_url",
    rate=3,
    rate_setting="uniprot_rate",
    concurrency=1,
)
"""UniProt documents no limit (https://www.uniprot.org/help/api)."""

SEARCH = "uniprotkb/search"
QUERY = {"query": "(organism_id:9606) AND (reviewed:true)", "format": "tsv"}
PAGE_SIZE = 500
"""The most entries of a page (https://www.uniprot.org/help/api_queries)."""

_PROGRESS = "progress"
_TRIES = 3
_RELEASE = re.compile(r"[0-9]{4}_[0-9]{2}", re.ASCII)
_NEXT = re.compile(r'<([^<>]*)>; *rel="next"')
_TOTAL = re.compile(r"[0-9]{1,9}", re.ASCII)


class Page(msgspec.Struct):
    """A page of the search. ``cursor`` is that of the next page; None if there is none."""

    release: str
    total: int
    header: str
    rows: list[str]
    cursor: str | None


class _Progress(msgspec.Struct):
    """What was collected so far. ``cursor`` is that of the next page; None after the last one."""

    release: str
    header: str = ""
    total: int = -1
    rows: int = 0
    pages: int = 0
    cursor: str | None = None

    @property
    def complete(self) -> bool:
        return self.pages > 0 and self.cursor is None


class _OtherRelease(Exception):
    def __init__(self, release: str) -> None:
        self.release = release
        super().__init__(release)


async def _probe(connect: Connector) -> str:
    page = await UniProt(connect).page(size=1)
    return f"release {page.release} has {page.total:,} reviewed human entries"


class UniProt(CollectedSource):
    """The reviewed UniProtKB (Swiss-Prot) entries of a gene's proteins.

    Entries are assigned to genes by the HGNC ids that they name. A gene may have several entries,
    and an entry may belong to several genes. A gene that no reviewed entry names is absent.
    Unreviewed entries (TrEMBL), sequences and isoforms are not read.
    """

    info = SourceInfo(
        name="uniprot",
        title="UniProt",
        licence="CC BY 4.0",
        licence_url="https://www.uniprot.org/help/license",
        attribution="UniProt Consortium, www.uniprot.org",
        hosts=(REST,),
        freshness=timedelta(days=90),  # a release every eight weeks
        # release 2026_03 has 20,431 reviewed human entries, most of which name a gene of their own
        min_genes=18_000,
    )
    data = UniProtData
    file = BulkFile(REST, ("uniprotkb.tsv.gz",), "app.annotation.sources.uniprot.reader:read")
    probes = (
        HostProbe(
            host=REST,
            title="UniProt answers with the columns that are read",
            why="Runs of UniProt wait for its answer, and fail if its columns have changed.",
            ask=_probe,
        ),
    )

    def __init__(self, connect: Connector) -> None:
        super().__init__(connect)
        self._release: Release | None = None

    @property
    def address(self) -> str:
        """The search whose pages are collected."""
        return f"{self._files.address(SEARCH)}?{urlencode(QUERY)}"

    async def current_file(self) -> Release:
        """Return UniProt's release, which each answer names in its headers."""
        if self._release is None:
            page = await self.page(size=1)
            self._release = self._named(page.release)
        return self._release

    def _named(self, release: str) -> Release:
        return Release(release, release, self.address)

    async def page(self, *, size: int = PAGE_SIZE, cursor: str | None = None) -> Page:
        """Fetch a page of the search.

        Args:
            size: the most entries.
            cursor: the cursor of the page; None for the first one.

        Raises:
            BadAnswer, Wait: see :meth:`Upstream.request`.
        """
        params: dict[str, str | int] = {**QUERY, "fields": ",".join(FIELDS), "size": size}
        if cursor is not None:
            params["cursor"] = cursor
        return await self._files.request_with_headers(
            "GET", SEARCH, params=params, decode=decode_page
        )

    async def collect(self, pieces: Pieces, release: Release) -> Collected:
        """Fetch the pages one after the other. They must all be of one release.

        Raises:
            BadAnswer, Wait: see :meth:`CollectedSource.collect`.
        """
        for _ in range(_TRIES):
            try:
                progress = await self._collect(pieces, release.name)
            except _OtherRelease as other:
                logger.info("uniprot: %s came out, and is collected from its start", other)
                release = self._release = self._named(other.release)
            except BadAnswer:
                # the cursor may be out of date, or a page may be wrong
                await asyncio.to_thread(pieces.clear)
                raise
            else:
                return Collected([_key(number) for number in range(progress.pages)], release)
        raise BadAnswer(f"uniprot changed its release {_TRIES} times while it was collected")

    async def _collect(self, pieces: Pieces, release: str) -> _Progress:
        progress = await asyncio.to_thread(_progress, pieces, release)
        while not progress.complete:
            page = await self.page(cursor=progress.cursor)
            if page.release != release:
                raise _OtherRelease(page.release)
            progress = _after(progress, page)
            await asyncio.to_thread(_keep, pieces, progress, page)
        return progress


def _progress(pieces: Pieces, release: str) -> _Progress:
    """Return how far a collection of this release came. Any other collection is removed."""
    header = "\t".join(COLUMNS)
    written = pieces.read(_PROGRESS)
    if written is not None:
        progress = msgspec.json.decode(written, type=_Progress)
        if (progress.release, progress.header) == (release, header):
            return progress
    pieces.clear()
    return _Progress(release, header)


def _after(progress: _Progress, page: Page) -> _Progress:
    """Return the progress after one more page.

    Raises:
        BadAnswer: the page does not belong to the others.
    """
    rows = progress.rows + len(page.rows)
    if progress.pages and page.total != progress.total:
        raise BadAnswer(f"uniprot had {progress.total:,} entries, and then {page.total:,}")
    if rows > page.total or (page.cursor is None and rows != page.total):
        raise BadAnswer(f"uniprot sent {rows:,} of {page.total:,} entries")
    if page.cursor is not None and (page.cursor == progress.cursor or not page.rows):
        raise BadAnswer(f"uniprot's pages lead nowhere after {rows:,} of {page.total:,} entries")
    return msgspec.structs.replace(
        progress, total=page.total, rows=rows, pages=progress.pages + 1, cursor=page.cursor
    )


def _keep(pieces: Pieces, progress: _Progress, page: Page) -> None:
    number = progress.pages - 1
    lines = page.rows if number else [page.header, *page.rows]
    pieces.keep(_key(number), "".join(f"{line}\n" for line in lines).encode())
    # after the page, so that a crash in between repeats the page
    pieces.keep(_PROGRESS, msgspec.json.encode(progress))


def _key(number: int) -> str:
    return f"page-{number:05}"


def decode_page(body: bytes, headers: Mapping[str, str]) -> Page:
    """Return a page of the search.

    Raises:
        BadAnswer: a header or a column is missing, or a row is not an entry.
    """
    release = headers.get("X-UniProt-Release", "")
    total = headers.get("X-Total-Results", "")
    if not _RELEASE.fullmatch(release):
        raise BadAnswer(f"the release is {release[:40]!r}")
    if not _TOTAL.fullmatch(total):
        raise BadAnswer(f"the number of results is {total[:40]!r}")
    header, *rows = body.decode().removesuffix("\n").split("\n")
    if header != "\t".join(COLUMNS):
        raise BadAnswer(f"the columns are {header[:200]!r}")
    for row in rows:
        values = tuple(row.split("\t"))
        if len(values) != len(COLUMNS) or not is_entry(values):
            raise BadAnswer(f"a row is not an entry: {row[:100]!r}")
    return Page(release, int(total), header, rows, _cursor(headers.get("Link")))


def _cursor(link: str | None) -> str | None:
    """Return the cursor of the next page; None if there is none.

    Only the cursor is taken, because the link names the public service, and not a mirror
    (https://www.uniprot.org/help/pagination).
    """
    if not link:
        return None
    found = _NEXT.search(link)
    cursors = parse_qs(urlsplit(found[1]).query).get("cursor") if found else None
    if not cursors:
        raise BadAnswer(f"the link to the next page is {link[:200]!r}")
    return cursors[0]
