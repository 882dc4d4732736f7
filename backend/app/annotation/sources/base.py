"""What a source is, and how to add one.

**Adding a source** takes one new file in this folder and one line in :data:`~.SOURCES`.

1. Declare it, apart from what it does: a :class:`SourceInfo` with the hosts it asks and their
   documented limits, how many genes make a batch, how long an answer stays fresh, which columns
   of ``genes`` it has to know and which it can fill. Say in a docstring where each limit is
   documented.
2. Write a class whose constructor takes a :class:`Connector`, with ``info`` and the methods of
   :class:`Source`. ``annotate`` turns a batch of genes into one :class:`Answer` a gene: *found*
   with data, *absent* when the source itself says that it has nothing, *unknown* with a reason
   when it could not be found out. What is partial is unknown.
3. Judge each answer by its body: compare what was asked for with what came back, and raise
   :class:`~app.annotation.upstream.BadAnswer` when they differ. The caller then splits the batch
   until the one bad gene is found. Give no default to a field or a column that every answer has:
   one that is renamed would look as if no gene had it. Words that are not known go into
   ``unknown_terms`` of ``data``, see :mod:`app.annotation.sources.unknown_terms`. Never catch
   :class:`~app.core.errors.Wait`: the run is put back and loses nothing.
4. Where the source publishes a file of everything, give ``info.bulk_threshold`` and ``bulk``;
   both ways must give equal ``data`` for equal facts. Have the file read by a process of its own,
   within bounds: see :mod:`app.annotation.upstream.bulk_files`.
5. Add it to :data:`~.SOURCES` behind the sources whose columns it needs, its address to the
   settings, and its real answers to the sandbox.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import httpx

from app.annotation.upstream import TRY_SECONDS, Host, Retries, Upstream
from app.core.config import Settings
from app.core.redis.rate_limits import RateLimiter

T = TypeVar("T")

BULK_LIST = 500
"""The most answers that ``bulk`` gives in one list."""


@dataclass(frozen=True, slots=True)
class Gene:
    """A gene to annotate: a row of ``genes``."""

    id: int
    hgnc_id: str
    symbol: str
    ensembl_gene_id: str | None = None
    entrez_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source says of a gene.

    Args:
        gene_id: :attr:`Gene.id`.
        state: whether it has something, has nothing, or could not be asked.
        data: JSON, when found.
        reason: in words, redacted, when unknown.
        identifiers: columns of ``genes`` with the values to write there.
        doubted: the source said *absent* of a gene that it had something for, which is kept as
            *unknown* until it is known of how many genes it says so. No source sets it.
    """

    gene_id: int
    state: Literal["found", "absent", "unknown"]
    data: dict[str, Any] | None = None
    reason: str | None = None
    identifiers: dict[str, str | None] | None = None
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class FileRead:
    """A bulk file as it was read to its end.

    Args:
        path: of the copy; one that is refused is removed, so that it is fetched anew.
        release: the day it was last modified upstream.
        digest: the SHA-256 of the file as it was fetched.
        rows: without the header.
        genes: different genes in all of its rows, wanted or not.
    """

    path: Path
    release: str
    digest: str
    rows: int
    genes: int

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return self.path.name


@dataclass(frozen=True)
class SourceInfo:
    """What is to be known of a source before it is asked.

    Args:
        name: as operators write it: "clinvar".
        title: as people read it: "ClinVar".
        licence: of its data.
        licence_url: where the licence is said.
        hosts: the services it asks, with their limits.
        batch_size: the most genes that ``annotate`` is given.
        batch_weight: a batch is closed when its genes' weights reach this.
        concurrency: batches in flight at a time.
        freshness: how long an answer stays good.
        needs: columns of ``genes`` without which it asks for less, or not at all.
        provides: columns of ``genes`` that its answers fill.
        bulk_threshold: with more genes than this due, ``bulk`` is used; None: there is no bulk.
    """

    name: str
    title: str
    licence: str
    licence_url: str
    hosts: tuple[Host, ...]
    batch_size: int
    batch_weight: int
    concurrency: int
    freshness: timedelta
    needs: frozenset[str] = frozenset()
    provides: frozenset[str] = frozenset()
    bulk_threshold: Callable[[Settings], int] | None = None


class Source(Protocol):
    """Asks one upstream about genes. An object serves one attempt and keeps what it learnt."""

    info: ClassVar[SourceInfo]

    def __init__(self, connect: "Connector") -> None: ...

    @property
    def requests(self) -> int:
        """Upstream requests sent so far by this object."""
        ...

    @property
    def files(self) -> Sequence[FileRead]:
        """The bulk files read to their end so far.

        They are compared with the ones accepted last, before an answer from them is stored.
        """
        ...

    async def release(self) -> str:
        """Return the upstream's release the answers come from.

        Of the file from when ``bulk`` has read it until ``annotate`` is called, of the service
        otherwise; asked for once.
        """
        ...

    async def weights(self, genes: Sequence[Gene]) -> Sequence[int]:
        """Return the expected work for each gene, at least 1."""
        ...

    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Ask the service; give one answer a gene, in any order.

        Raises:
            BadAnswer: the batch has to be split; of one gene, it is unknown for this reason.
            Wait: nothing can be found out now.
        """
        ...

    def bulk(self, genes: AsyncIterator[Gene]) -> AsyncGenerator[list[Answer], None]:
        """Read the bulk file; give one answer a gene, in lists of at most :data:`BULK_LIST`.

        Close it (``contextlib.aclosing``) when it is not read to its end: a process may hang on it.

        Raises:
            BadAnswer: the file cannot be used.
            Wait: it cannot be had now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Connector:
    """Connects sources to their hosts as the settings say."""

    settings: Settings
    limiter: RateLimiter
    http: httpx.AsyncClient
    try_seconds: float = TRY_SECONDS

    @property
    def retries(self) -> Retries:
        """How often and when a host is asked again."""
        return Retries(
            first=self.settings.upstream_backoff,
            longest_wait=self.settings.upstream_longest_wait,
        )

    def upstream(
        self,
        host: Host,
        base_url: str,
        *,
        rate: float | None = None,
        key: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Upstream:
        """Return a client of a host; the arguments are those of :class:`Upstream`."""
        return Upstream(
            host,
            base_url=base_url,
            limiter=self.limiter,
            http=self.http,
            rate=rate,
            key=key,
            params=params,
            cache_dir=self.settings.cache_dir,
            retries=self.retries,
            try_seconds=self.try_seconds,
        )


async def all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all at once; when one fails, cancel the others and raise its error as it is."""
    tasks: list[asyncio.Task[T]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks.extend(group.create_task(each) for each in work)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
