"""The form of a source. `docs/how-to/add-a-source.md` shows how to add one.

A source is a class with a declaration (:class:`SourceInfo`), probes for the doctor, and one or both
of two abilities: :class:`ApiSource` asks a service about a batch of genes, and :class:`FileSource`
reads a file of everything. A source writes only the methods of the abilities that it has.

A source gives one :class:`Answer` for each gene: *found* with data, *absent* when the source itself
says that it has nothing, or *unknown* with a reason. A partial answer is unknown. Judge an answer
by its body: compare what was asked for with what came, and raise
:class:`~app.annotation.upstream.BadAnswer` when they differ. Give no default to a field that every
answer has, because a renamed field would look as if no gene had it. Never catch
:class:`~app.core.errors.Wait`: it releases the run, and the run loses nothing.
"""

import asyncio
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from msgspec import Struct

from app.annotation.sources.names import GeneNames
from app.annotation.sources.probe import HostProbe, SettingProbe
from app.annotation.upstream.cache import Download
from app.annotation.upstream.host import Host
from app.annotation.upstream.release import Release, public_address
from app.annotation.upstream.settings import UpstreamSettings

if TYPE_CHECKING:
    from app.annotation.sources.connector import Connector
    from app.annotation.upstream import Upstream

T = TypeVar("T")

MAX_ANSWERS = 500
"""The most answers in one list of :meth:`FileSource.bulk`."""


@dataclass(frozen=True, slots=True)
class Gene:
    """A gene to annotate: a row of ``genes``.

    Args:
        id: of the row.
        hgnc_id: with its prefix.
        symbol: that HGNC approved.
        ensembl_gene_id: without its version.
        entrez_id: NCBI's GeneID.
        other_symbols: former symbols that can mean no other gene.
        ambiguous_symbols: former symbols that can mean another gene, too.
        merged_hgnc_ids: of the genes that HGNC merged into this one.
    """

    id: int
    hgnc_id: str
    symbol: str
    ensembl_gene_id: str | None = None
    entrez_id: str | None = None
    other_symbols: tuple[str, ...] = ()
    ambiguous_symbols: tuple[str, ...] = ()
    merged_hgnc_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source says about a gene.

    Args:
        gene_id: :attr:`Gene.id`.
        state: whether the source has something, has nothing, or could not be asked.
        data: JSON, when found.
        reason: a redacted sentence, when unknown.
        identifiers: columns of ``genes`` with the values to write there.
        names: the gene's names, to write to ``gene_names``.
    """

    gene_id: int
    state: Literal["found", "absent", "unknown"]
    data: dict[str, Any] | None = None
    reason: str | None = None
    identifiers: dict[str, str | None] | None = None
    names: GeneNames | None = None


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read to its end.

    Args:
        download: the local copy. A refused copy is discarded, so that it is downloaded again.
        digest: the SHA-256 of the file as it was downloaded.
        rows: the number of rows, without the header.
        genes: the number of different genes in all rows, wanted or not.
    """

    download: Download
    digest: str
    rows: int
    genes: int

    @property
    def name(self) -> str:
        """The file's name, below the host's address."""
        return self.download.name

    @property
    def release(self) -> str:
        """The day the file was last modified upstream."""
        return self.download.release


@dataclass(frozen=True, kw_only=True)
class SourceInfo:
    """The declaration of a source.

    Args:
        name: as operators write it: "clinvar".
        title: as people read it: "ClinVar".
        licence: of its data.
        licence_url: the page that states the licence.
        attribution: how the source wants to be named where its data are used.
        hosts: the services that it asks. Their addresses and rates become settings.
        freshness: how long an answer stays good.
        needs: columns of ``genes`` that the source asks by, and that another source fills.
        provides: columns of ``genes`` that its answers fill.
        settings: a class with further settings, or None.
        bulk_threshold: of a source with both abilities: with more due genes than this, the file is
            read. It becomes the setting ``<NAME>_BULK_THRESHOLD``.
        batch_size: the most genes that ``annotate`` is given.
        batch_weight: the most weight of a batch of several genes; None means that weights do not
            matter.
        concurrency: the number of batches in flight at a time.
        parser: the version of what the source makes of an answer. Increase it when the same answer
            gives other data, so that all genes are refreshed.
        least_genes: the fewest genes that a complete file of the public service has something for.
            A first file with fewer is not accepted.
        off_by_default: whether the source is in the default of ``DISABLED_SOURCES``, so that a run
            of all sources leaves it out.
    """

    name: str
    title: str
    licence: str
    licence_url: str
    attribution: str
    hosts: tuple[Host, ...]
    freshness: timedelta
    needs: frozenset[str] = frozenset()
    provides: frozenset[str] = frozenset()
    settings: type[UpstreamSettings] | None = None
    bulk_threshold: int | None = None
    batch_size: int = 1
    batch_weight: int | None = None
    concurrency: int = 1
    parser: int = 1
    least_genes: int = 0
    off_by_default: bool = False

    @property
    def threshold_setting(self) -> str:
        """The name of the setting that replaces ``bulk_threshold``."""
        return f"{self.name}_bulk_threshold"


class Source:
    """A source, connected for one attempt. The object keeps what it learns.

    Attributes:
        info: the declaration.
        data: the structure of ``Answer.data``. Each of its fields has a docstring with the
            definition and the unit. None means that the source says nothing of the field.
        probes: what the doctor asks, one for each host.
        setting_probes: what the doctor checks in the source's own settings.
        files: the files that were read to their end so far. They are compared with the files that
            were accepted last, before an answer from them is stored.
    """

    info: SourceInfo
    data: ClassVar[type[Struct]]
    probes: ClassVar[tuple[HostProbe, ...]] = ()
    setting_probes: ClassVar[tuple[SettingProbe, ...]] = ()

    def __init__(self, connect: "Connector") -> None:
        self._connect = connect
        self._clients: list[Upstream] = []
        self.files: list[FileRead] = []

    @property
    def requests(self) -> int:
        """The number of requests that this object has sent."""
        return sum(client.requests for client in self._clients)

    def upstream(self, host: Host, params: Mapping[str, str] | None = None) -> "Upstream":
        """Return a client of one of the source's hosts, whose requests count for this source.

        Args:
            host: one of ``info.hosts``.
            params: sent with every request.
        """
        client = self._connect.upstream(host, params=params)
        self._clients.append(client)
        return client

    async def current(self) -> dict[Literal["file", "service"], Release]:
        """Return what the file and the service have now, in one cheap request for each.

        Raises:
            BadAnswer: the upstream does not state it.
            Wait: it cannot be asked now.
        """
        return {}

    def parser_version(self) -> str:
        """Return the version of what this source makes of an answer. Its options are part of it."""
        return str(self.info.parser)

    @classmethod
    def knows_term(cls, term: str) -> bool:
        """Tell whether this version can classify a term that a run once reported as unknown."""
        del term
        return False


class ApiSource(Source, ABC):
    """A source that asks a service about a batch of genes."""

    service: ClassVar[Host]
    """The host that :meth:`annotate` asks."""

    async def current(self) -> dict[Literal["file", "service"], Release]:
        """Return what the upstream has now; see :meth:`Source.current`."""
        return {**await super().current(), "service": self.service_release(await self.release())}

    @property
    def service_address(self) -> str:
        """The address of the service, without secrets."""
        return public_address(self._connect.address(self.service))

    def service_release(self, name: str) -> Release:
        """Return the release that the service states."""
        return Release(name, name, self.service_address)

    @abstractmethod
    async def release(self) -> str:
        """Return the release that the service answers from. Ask the service only once."""

    @abstractmethod
    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Ask the service, and return one answer for each gene, in any order.

        Raises:
            BadAnswer: the caller halves the batch. A single gene becomes unknown with this reason.
            Wait: nothing can be found out now.
        """


class WeighedSource(ApiSource, ABC):
    """A source whose genes are not all the same amount of work."""

    @abstractmethod
    async def weights(self, genes: Sequence[Gene]) -> Sequence[int]:
        """Return the expected work for each gene, at least 1."""


@dataclass(frozen=True, slots=True)
class BulkFile:
    """The file, or the files, that hold a source's answers for all genes.

    Args:
        host: that has them.
        paths: below the host's address.
        reader: ``module:function``. A process of its own calls it as ``reader(asked, *files)``; see
            :mod:`app.annotation.upstream.bulk_files`.
        release: that the paths name; None if they name none.
        elsewhere: the hosts of the paths that another host has.
        watched: the paths whose changes are new releases; by default the first one. Name several
            if the upstream replaces its files independently of each other. Each takes a request.
    """

    host: Host
    paths: tuple[str, ...]
    reader: str
    release: str | None = None
    elsewhere: Mapping[str, Host] = field(default_factory=dict)
    watched: tuple[str, ...] = ()

    @property
    def watches(self) -> tuple[str, ...]:
        """The paths whose changes are new releases."""
        return self.watched or self.paths[:1]

    def host_of(self, path: str) -> Host:
        """Return the host that has a path."""
        return self.elsewhere.get(path, self.host)


class FileSource(Source, ABC):
    """A source that reads a file of everything.

    Attributes:
        file: what is downloaded, and what reads it.
        file_release: the release of the file. It is set when the file was read to its end.
    """

    file: ClassVar[BulkFile]

    def __init__(self, connect: "Connector") -> None:
        super().__init__(connect)
        self._files = self.upstream(self.file.host)
        others = {path: self.upstream(host) for path, host in self.file.elsewhere.items()}
        self._client_of = {path: others.get(path, self._files) for path in self.file.paths}
        self.file_release: Release | None = None
        self._downloads: list[Download] | None = None

    def options(self) -> dict[str, Any]:
        """Return what the reader has to know besides the genes, such as a setting.

        The stored answers are of the options under which they were made. With other options, all
        genes are due.
        """
        return {}

    def parser_version(self) -> str:
        """Return the version of the parser, with a digest of the options if there are any."""
        version = super().parser_version()
        if not (options := self.options()):
            return version
        digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()
        return f"{version}.{digest[:8]}"

    async def current(self) -> dict[Literal["file", "service"], Release]:
        """Return what the upstream has now; see :meth:`Source.current`."""
        return {"file": await self.current_file(), **await super().current()}

    async def current_file(self) -> Release:
        """Return the release of the file that the upstream has now, without downloading the file.

        The default asks for the headers of the files that are watched. A source whose upstream
        sends neither ``ETag`` nor ``Last-Modified`` overrides this method and :meth:`release_of`.
        """
        first, *others = [
            await self._client_of[path].release_of(path) for path in self.file.watches
        ]
        marker = " ".join([first.marker, *(each.marker for each in others)])
        return Release(self.file.release or first.name, marker, first.address)

    def release_of(self, files: Sequence[FileRead], named: str | None) -> Release:
        """Return the release of the files that were read.

        Args:
            files: in the order of their paths.
            named: what the reader returned as ``Reading.release``.
        """
        by_path = {each.name: each.download for each in files}
        first, *others = [by_path[path] for path in self.file.watches]
        marker = " ".join([first.marker, *(each.marker for each in others)])
        return Release(self.file.release or named or first.release, marker, first.address)

    @property
    def downloads(self) -> int:
        """The number of files that are downloaded."""
        return len(self.file.paths)

    async def fetch(self) -> list[Download]:
        """Return local copies of the upstream's current files, one for each path.

        A source that has no such file overrides this method: it collects the answers of a service
        in a file of its own.

        Raises:
            BadAnswer: there is no such file.
            Wait: the files cannot be downloaded now.
        """
        return [await client.download(path) for path, client in self._client_of.items()]

    async def fetched(self, *, again: bool = False) -> list[Download]:
        """Return what :meth:`fetch` returned, which is called once, or ``again``."""
        if again or self._downloads is None:
            self._downloads = await self.fetch()
        return self._downloads

    async def bulk(self, genes: Sequence[Gene]) -> AsyncGenerator[list[Answer], None]:
        """Read the file, and give one answer for each gene, in lists of at most 500.

        The default asks the reader about the genes as :class:`~.keyed.Asked`. It expects for each
        gene, in this order, the gene's data, or None if the file has nothing for it, or a sentence
        that says why the answer is unknown. :mod:`.keyed` makes such a reader.

        Close the generator (``contextlib.aclosing``) if you do not read it to its end, because a
        process may be at work for it.

        Raises:
            BadAnswer: the file cannot be used.
            Wait: the file cannot be downloaded now.
        """
        from contextlib import aclosing

        rest = iter(genes)
        asked = {"genes": list(genes), "options": self.options()}
        async with aclosing(self.read(asked, of=dict[str, Any] | str | None)) as parts:
            async for part in parts:
                # zip takes from `part` first, so that it does not use up an unpaired gene
                yield [_answer(gene, said) for said, gene in zip(part, rest)]  # noqa: B905

    def read(self, asked: Any, *, of: Any) -> AsyncGenerator[list[Any], None]:
        """Download the file and have it read. A copy that cannot be read is downloaded once more.

        Args:
            asked: what the reader is asked for. It must be writable as JSON.
            of: the type of the elements that the reader gives.

        Raises:
            BadAnswer: the file cannot be used.
            Wait: the file cannot be downloaded now.
        """
        from app.annotation.sources.fetched import read_fetched

        return read_fetched(self.fetched, self.file, asked, of=of, read=self._note)

    def _note(self, files: Sequence[FileRead], release: str | None) -> None:
        self.files += files
        self.file_release = self.release_of(files, release)


def _answer(gene: Gene, said: dict[str, Any] | str | None) -> Answer:
    if isinstance(said, str):
        return Answer(gene.id, "unknown", reason=said)
    return Answer(gene.id, "absent" if said is None else "found", said)


async def all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all at once. When one fails, cancel the others and raise its error as it is."""
    tasks: list[asyncio.Task[T]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks.extend(group.create_task(each) for each in work)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
