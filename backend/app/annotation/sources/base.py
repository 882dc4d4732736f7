"""The base classes of sources. `docs/how-to/add-a-source.md` shows how to add one.

A source is a class with a declaration (:class:`SourceInfo`), probes for the doctor, and one or both
of two base classes: :class:`ApiSource` asks a service about a batch of genes, and
:class:`FileSource` reads a file with the data of all genes. A source implements only the methods of
its base classes.

A source gives one :class:`Answer` for each gene: *found* with data, *absent* when the source itself
states that it has no data, or *unknown* with a reason. A partial answer is unknown. Judge an answer
by its body: compare the answer with the request, and raise
:class:`~app.annotation.upstream.BadAnswer` if they differ. Do not give a default to a field that
every answer has: if the upstream renames the field, the source must fail. Never catch
:class:`~app.core.errors.Wait`: it releases the run, which loses no committed answer.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Collection, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from msgspec import Struct

from app.annotation.sources.answers import Answer, FileRead, Gene
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.pictures import Picture
from app.annotation.sources.probe import HostProbe, SettingProbe
from app.annotation.upstream.cache import Download
from app.annotation.upstream.cache_dir import folder_of
from app.annotation.upstream.host import Host, digest
from app.annotation.upstream.release import Release, public_address
from app.annotation.upstream.traffic import Traffic

if TYPE_CHECKING:
    from app.annotation.sources.connector import Connector
    from app.annotation.upstream import Upstream
    from app.annotation.upstream.settings import UpstreamSettings

T = TypeVar("T")


class Source:
    """A source, connected for one attempt. The object caches what it reads.

    Attributes:
        info: the declaration.
        data: the structure of ``Answer.data``. Each of its fields has a docstring with the
            definition and the unit. None means that the source does not state the value.
        pictures: the pictures of the data on the pages, from top to bottom. The pages list all
            fields without a picture.
        probes: the doctor's probes, one for each host.
        setting_probes: the doctor's checks of the source's own settings.
        files: the files that were read completely. They are compared with the last accepted files
            before any of their answers is stored.
    """

    info: SourceInfo
    data: ClassVar[type[Struct]]
    pictures: ClassVar[tuple[Picture, ...]] = ()
    probes: ClassVar[tuple[HostProbe, ...]] = ()
    setting_probes: ClassVar[tuple[SettingProbe, ...]] = ()

    def __init__(self, connect: "Connector") -> None:
        self._connect = connect
        self._clients: list[Upstream] = []
        self.files: list[FileRead] = []

    @property
    def requests(self) -> int:
        """The number of requests that this object has sent."""
        return self.traffic.requests

    @property
    def traffic(self) -> Traffic:
        """The traffic of this object."""
        return sum((client.traffic for client in self._clients), Traffic())

    def upstream(self, host: Host, params: Mapping[str, str] | None = None) -> "Upstream":
        """Return a client of one of the source's hosts, whose requests count for this source.

        Args:
            host: one of ``info.hosts``.
            params: query parameters of every request.
        """
        client = self._connect.upstream(host, params=params)
        self._clients.append(client)
        return client

    async def current(self) -> dict[Literal["file", "service"], Release]:
        """Return the current releases of the file and the service, with one cheap request for each.

        Raises:
            BadAnswer: the upstream does not state its release.
            Wait: the upstream cannot be asked now.
        """
        return {}

    @classmethod
    def parser_version(cls, settings: "UpstreamSettings") -> str:
        """Return the version of the source's parser. It includes the source's options."""
        del settings
        return str(cls.info.parser)

    @property
    def parser(self) -> str:
        """The version of the parser that this object uses."""
        return self.parser_version(self._connect.settings)

    @classmethod
    def knows_term(cls, term: str) -> bool:
        """Tell whether this version can classify a term that an earlier run reported as unknown."""
        del term
        return False


class ApiSource(Source, ABC):
    """A source that asks a service about a batch of genes."""

    service: ClassVar[Host]
    """The host that :meth:`annotate` asks."""

    async def current(self) -> dict[Literal["file", "service"], Release]:
        """Return the current releases; see :meth:`Source.current`."""
        return {**await super().current(), "service": self.service_release(await self.release())}

    @property
    def service_address(self) -> str:
        """The address of the service, without secrets."""
        return public_address(self._connect.address(self.service))

    def service_release(self, name: str) -> Release:
        """Return the release with this name."""
        return Release(name, name, self.service_address)

    @abstractmethod
    async def release(self) -> str:
        """Return the name of the service's current release. Ask the service only once."""

    @abstractmethod
    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Ask the service about genes. Return one answer for each gene, in any order.

        Raises:
            BadAnswer: the caller halves the batch. A single gene becomes unknown with this reason.
            Wait: the service cannot be asked now.
        """


class WeighedSource(ApiSource, ABC):
    """A source whose genes differ in the expected work."""

    @abstractmethod
    async def weights(self, genes: Sequence[Gene]) -> Sequence[int]:
        """Return the expected work for each gene, at least 1."""


class FileSource(Source, ABC):
    """A source that reads a file with the data of all genes.

    Attributes:
        file: the file to download and its reader.
        beside: the paths of other files that the source reads from the same host.
        file_release: the release of the file. It is set after the file was read completely.
    """

    file: ClassVar[BulkFile]
    beside: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def cached(cls, settings: "UpstreamSettings") -> Collection[Path]:
        """Return the paths in ``CACHE_DIR`` that the source reads. The files may not exist yet."""
        return [
            folder_of(settings.cache_dir, host, getattr(settings, host.setting)) / path
            for path in (*cls.file.paths, *cls.beside)
            for host in (cls.file.host_of(path),)
        ]

    def __init__(self, connect: "Connector") -> None:
        super().__init__(connect)
        self._files = self.upstream(self.file.host)
        others = {path: self.upstream(host) for path, host in self.file.elsewhere.items()}
        self._client_of = {path: others.get(path, self._files) for path in self.file.paths}
        self.file_release: Release | None = None
        self._downloads: list[Download] | None = None

    @classmethod
    def options(cls, settings: "UpstreamSettings") -> dict[str, Any]:
        """Return the reader's options, such as a setting.

        If an option changes, all genes are due, because the stored answers were made with the old
        options.
        """
        del settings
        return {}

    @classmethod
    def parser_version(cls, settings: "UpstreamSettings") -> str:
        """Return the version of the parser, with a digest of the options if there are any."""
        version = super().parser_version(settings)
        if not (options := cls.options(settings)):
            return version
        return f"{version}.{digest(json.dumps(options, sort_keys=True))}"

    async def current(self) -> dict[Literal["file", "service"], Release]:
        """Return the current releases; see :meth:`Source.current`."""
        return {"file": await self.current_file(), **await super().current()}

    async def current_file(self) -> Release:
        """Return the current release of the upstream's file without downloading it.

        The default requests the HTTP headers of the watched files. A source whose upstream sends
        neither ``ETag`` nor ``Last-Modified`` overrides this method and :meth:`release_of`.
        """
        return self._as_one(
            [await self._client_of[path].release_of(path) for path in self.file.watches]
        )

    def release_of(self, files: Sequence[FileRead], named: str | None) -> Release:
        """Return the release of the files that were read.

        Args:
            files: the files, in the order of their paths.
            named: the ``Reading.release`` that the reader returned.
        """
        by_path = {file.name: file.download for file in files}
        watched = [by_path[path] for path in self.file.watches]
        return self._as_one(
            [Release(named or each.release, each.marker, each.address) for each in watched]
        )

    def _as_one(self, watched: Sequence[Release]) -> Release:
        """Return the release of all watched files together."""
        marker = " ".join(each.marker for each in watched)
        return Release(self.file.release or watched[0].name, marker, watched[0].address)

    @property
    def downloads(self) -> int:
        """The number of files to download."""
        return len(self.file.paths)

    async def fetch(self) -> list[Download]:
        """Return local copies of the upstream's current files, one for each path.

        A source without such a file overrides this method and collects a service's answers in a
        file.

        Raises:
            BadAnswer: a file does not exist or cannot be used.
            Wait: the files cannot be downloaded now.
        """
        return [await client.download(path) for path, client in self._client_of.items()]

    async def fetched(self, *, again: bool = False) -> list[Download]:
        """Return the files. The first call, and each with ``again``, calls :meth:`fetch`."""
        if again or self._downloads is None:
            self._downloads = await self.fetch()
        return self._downloads

    async def bulk(self, genes: Sequence[Gene]) -> AsyncGenerator[list[Answer], None]:
        """Read the file and yield one answer for each gene, in lists of at most 500.

        The default passes a :class:`~.keyed.ReaderRequest` to the reader. For each gene, in this
        order, it expects the gene's data, None if the file has no data for it, or a sentence with
        the reason that the answer is unknown. :mod:`.keyed` helps to write such a reader.

        Close the generator (``contextlib.aclosing``) if you may not exhaust it, because a child
        process may be running.

        Raises:
            BadAnswer: the file cannot be used.
            Wait: the file cannot be downloaded now.
        """
        from contextlib import aclosing

        rest = iter(genes)
        request = {"genes": list(genes), "options": self.options(self._connect.settings)}
        async with aclosing(self.read(request, of=dict[str, Any] | str | None)) as parts:
            async for part in parts:
                # zip advances `part` first, so that it does not consume an unpaired gene
                yield [_answer(gene, data) for data, gene in zip(part, rest)]  # noqa: B905

    def read(self, request: Any, *, of: Any) -> AsyncGenerator[list[Any], None]:
        """Download the file and read it in a child process. Download an unreadable copy once more.

        Args:
            request: the request for the reader. It must be serializable as JSON.
            of: the type of the reader's elements.

        Raises:
            BadAnswer: the file cannot be used.
            Wait: the file cannot be downloaded now.
        """
        from app.annotation.sources.fetched import read_fetched

        return read_fetched(self.fetched, self.file, request, of=of, read=self._note)

    def _note(self, files: Sequence[FileRead], release: str | None) -> None:
        self.files += files
        self.file_release = self.release_of(files, release)


def _answer(gene: Gene, data: dict[str, Any] | str | None) -> Answer:
    if isinstance(data, str):
        return Answer(gene.id, "unknown", reason=data)
    return Answer(gene.id, "absent" if data is None else "found", data)


async def all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines concurrently. If one fails, cancel the others and raise its original error."""
    tasks: list[asyncio.Task[T]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks.extend(group.create_task(each) for each in work)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
