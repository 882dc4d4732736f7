"""An own table as a source, which answers from the rows in PostgreSQL."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.own_tables.meaning import MEANT, ROWS
from app.annotation.own_tables.store import OwnTableRow
from app.annotation.sources.answers import MAX_ANSWERS, Answer, FileRead, Gene
from app.annotation.sources.base import FileSource, Source
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import SourceInfo
from app.annotation.sources.keyed import Key, lacks
from app.annotation.sources.structure import json_schema
from app.annotation.upstream.cache import Download
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.release import Release
from app.annotation.upstream.settings import UpstreamSettings

_IDENTIFIERS: tuple[Key, ...] = ("entrez_id", "ensembl_gene_id")
"""The identifiers of genes that may be missing."""

_IS_CURRENT = text("SELECT count(*) FROM own_tables WHERE id = :table_id AND replaced_at IS NULL")

_PARSER = 1
"""The version of the parser of all own tables."""

_NAMES_AT_A_TIME = 1_000
"""The number of names read at a time, small enough not to block the event loop."""

MAX_GENE_CHARS = 100_000
"""Maximum length of the rows about one gene as JSON, in characters: the limit of an answer's
data."""

Reading = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Opens a transaction to read in."""


class _Stored(Download):
    """The file, which has no local copy."""

    async def discard(self) -> None:
        """Do nothing: the table stays as it was added."""


class Data(msgspec.Struct):
    """The rows of the table that are about the gene."""

    rows: list[dict[str, str | float | None]]
    """The cells of each row by the names of the columns, in the order of the file. A column of
    numbers has numbers, every other one text. None means that the cell has no value."""


def info_of(own: OwnTableRow) -> SourceInfo:
    """Return the source declaration of an own table."""
    return SourceInfo(
        name=own.name,
        title=own.title,
        licence=own.licence,
        licence_url="",
        attribution=f"{own.file_name}, added by {own.added_by} on {own.added_at:%Y-%m-%d}",
        hosts=(),
        freshness=timedelta(days=365),
        parser=_PARSER,
    )


def schema_of(own: OwnTableRow) -> dict[str, Any]:
    """Return the JSON schema of the data of an own table's annotations."""
    schema = json_schema(Data)
    cells = {
        name: {"anyOf": [{"type": "number" if kind == "number" else "string"}, {"type": "null"}]}
        for name, kind in own.columns.items()
    }
    schema["title"] = own.title
    schema["$defs"]["Data"]["properties"]["rows"]["items"] = {"type": "object", "properties": cells}
    return schema


class OwnTable(FileSource):
    """An own table.

    Args:
        connect: the connector; it is not used for requests.
        own: the current file.
        reading: opens a transaction to read in; None if only the release is asked for.
    """

    data = Data

    def __init__(self, connect: Connector, own: OwnTableRow, reading: Reading | None) -> None:
        Source.__init__(self, connect)  # FileSource.__init__ would connect to the file's host
        self.file_release = None
        self._downloads = []
        self.info = info_of(own)
        self._own = own
        self._reading = reading

    @classmethod
    def parser_version(cls, settings: UpstreamSettings) -> str:
        """Return the version of the parser, which is the same for all own tables."""
        del settings
        return str(_PARSER)

    async def current_file(self) -> Release:
        """Return the release of the file that was added last."""
        return self._release

    @property
    def downloads(self) -> int:
        """0, because the rows are in PostgreSQL."""
        return 0

    async def fetch(self) -> list[Download]:
        """Return no files, because the rows are in PostgreSQL."""
        return []

    async def bulk(self, genes: Sequence[Gene]) -> AsyncGenerator[list[Answer], None]:
        """Answer from the rows; see :meth:`FileSource.bulk`.

        Raises:
            BadAnswer: another file was added meanwhile.
        """
        assert self._reading is not None
        meant = await self._meant(self._reading)
        for start in range(0, len(genes), MAX_ANSWERS):
            part = genes[start : start + MAX_ANSWERS]
            names = [(gene.hgnc_id, *each) for gene in part for each in meant.get(gene.hgnc_id, ())]
            values = {
                "table_id": self._own.id,
                "most": MAX_GENE_CHARS,
                "ids": [gene.id for gene in part],
                "hgnc_ids": [hgnc_id for hgnc_id, _, _ in names],
                "names": [name for _, name, _ in names],
                "ambiguous": [ambiguous for _, _, ambiguous in names],
            }
            async with self._reading() as connection:
                rows = {row.gene_id: row for row in await connection.execute(ROWS, values)}
                # the rows of a replaced file are deleted
                current = await connection.execute(_IS_CURRENT, {"table_id": self._own.id})
                if not current.scalar_one():
                    raise BadAnswer(f"{self._own.name} was replaced or removed meanwhile")
            yield [self._answer(gene, rows.get(gene.id)) for gene in part]
        own = self._own
        day = f"{own.added_at:%Y-%m-%d}"
        stored = _Stored(Path(own.file_name), own.name, day, own.digest, own.file_name, own.bytes)
        self.files.append(FileRead(stored, own.digest, own.rows, own.genes))
        self.file_release = self._release

    async def _meant(self, reading: Reading) -> dict[str, list[tuple[str, bool]]]:
        """Return the names in the table by gene, each with whether it may also mean other genes.

        No transaction is open while answers are yielded, because an attempt has few connections.
        """
        meant: dict[str, list[tuple[str, bool]]] = {}
        async with reading() as connection:
            result = await connection.stream(MEANT, {"table_id": self._own.id})
            async for part in result.partitions(_NAMES_AT_A_TIME):
                for name, hgnc_id, ambiguous in part:
                    meant.setdefault(hgnc_id, []).append((name, ambiguous))
        return meant

    @property
    def _release(self) -> Release:
        # the same file may be added again as another release
        marker = f"{self._own.digest} {self._own.release}"
        return Release(self._own.release, marker, self._own.file_name)

    def _answer(self, gene: Gene, found: Any) -> Answer:
        if found is not None and found.rows is not None:
            return Answer(gene.id, "found", {"rows": msgspec.json.decode(found.rows)})
        if found is not None and found.number:
            reason = f"the table has {found.number:,} rows about the gene, too much to store"
            return Answer(gene.id, "unknown", reason=reason)
        if found is not None:
            reason = f"the name in line {found.ambiguous_line} may mean this gene or another one"
            return Answer(gene.id, "unknown", reason=reason)
        for key in _IDENTIFIERS:
            if key in self._own.keys and getattr(gene, key) is None:
                return Answer(gene.id, "unknown", reason=lacks(key))
        return Answer(gene.id, "absent")
