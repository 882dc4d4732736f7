"""Compares bulk files with the last accepted ones, and records the accepted files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources.answers import FileRead
from app.annotation.sources.declaration import SourceInfo
from app.annotation.sources.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a file.

    Attributes:
        rows: the number of rows, without the header.
        genes: the number of genes that the file has data for.
        bytes: the bytes of the downloaded file; None if an earlier version accepted the file.
        release: the release of the source.
    """

    rows: int
    genes: int
    bytes: int | None
    release: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A file compared with the last accepted one.

    Attributes:
        name: the name of the file, below the host's address.
        digest: the SHA-256 digest of the file.
        size: the size of the file.
        before: the size of the last accepted file; None if there is none.
        problem: the reason that the file looks wrong; None if it looks right.
    """

    name: str
    digest: str
    size: Size
    before: Size | None
    problem: str | None

    @property
    def shown(self) -> dict[str, Any]:
        """The file as JSON, for :class:`~app.core.runs.shapes.HeldFile`."""
        shown = {
            "name": self.name,
            "digest": self.digest,
            "release": self.size.release,
            "rows": self.size.rows,
            "genes": self.size.genes,
            "size": self.size.bytes,
        }
        if self.before is not None:
            shown["release_before"] = self.before.release
            shown["rows_before"] = self.before.rows
            shown["genes_before"] = self.before.genes
            shown["size_before"] = self.before.bytes
        return shown


_ACCEPTED = text(
    "SELECT name, digest, rows, genes, bytes, release FROM accepted_files WHERE source = :source"
)


async def judge(
    connection: AsyncConnection,
    source: SourceInfo,
    files: Sequence[FileRead],
    settings: Thresholds,
) -> list[Judged]:
    """Compare files with the last accepted ones, or with the minimum size of a complete file.

    Args:
        connection: the database connection.
        source: the declaration of the source.
        files: that the source has read.
        settings: the thresholds.
    """
    found = await connection.execute(_ACCEPTED, {"source": source.name})
    accepted = {row.name: row for row in found}
    first = not any(file.name in accepted for file in files)
    most_genes = max((file.genes for file in files), default=0)
    judged = []
    for file in files:
        size = Size(file.rows, file.genes, file.download.size, file.release)
        row = accepted.get(file.name)
        before = None if row is None else Size(row.rows, row.genes, row.bytes, row.release)
        problems: list[str] = []
        if row is None or row.digest != file.digest:
            problems += _empty(file)
            if not problems and before is not None:
                problems += _lost(file, size, before, settings)
            if not problems and first and file.genes == most_genes:
                problems += _incomplete(file, source, settings)
        judged.append(Judged(file.name, file.digest, size, before, "; ".join(problems) or None))
    return judged


def _empty(file: FileRead) -> Iterator[str]:
    if not file.rows:
        yield f"{file.name} has no rows"
    elif not file.genes:
        yield f"{file.name} has {file.rows:,} rows, but no data for any gene"


def _lost(file: FileRead, size: Size, before: Size, settings: Thresholds) -> Iterator[str]:
    if before.release and file.release < before.release:
        yield (
            f"{file.name} of {file.release} is older than the last accepted file of"
            f" {before.release}"
        )
    least = 1 - settings.max_file_loss
    counts = [
        ("rows", size.rows, before.rows),
        ("genes with data", size.genes, before.genes),
        ("bytes", size.bytes or 0, before.bytes or 0),
    ]
    lost = [
        f"{now:,} {what} instead of {then:,}" for what, now, then in counts if now < then * least
    ]
    if lost:
        yield (
            f"{file.name} of {file.release} lost more than {settings.max_file_loss:.3g}"
            f" (MAX_FILE_LOSS) of the last accepted file of {before.release}: it has"
            f" {', '.join(lost)}"
        )


def _incomplete(file: FileRead, source: SourceInfo, settings: Thresholds) -> Iterator[str]:
    least = source.min_genes * settings.complete_share
    if file.genes < least:
        yield (
            f"{file.name} has data for {file.genes:,} genes, but a complete file for at least"
            f" {least:,.0f}; if {source.title} is read from a mirror with partial data, set"
            " COMPLETE_SHARE"
        )


_ACCEPT = text(
    """
    INSERT INTO accepted_files (source, name, digest, rows, genes, bytes, release, address, marker,
                                accepted_run_id)
    VALUES (:source, :name, :digest, :rows, :genes, :bytes, :release, :address, :marker, :run_id)
    ON CONFLICT (source, name) DO UPDATE SET digest = excluded.digest, rows = excluded.rows,
      genes = excluded.genes, bytes = excluded.bytes, release = excluded.release,
      address = excluded.address, marker = excluded.marker, accepted_at = now(),
      accepted_run_id = excluded.accepted_run_id
    WHERE accepted_files.digest <> excluded.digest
    """
)


async def accept(
    connection: AsyncConnection, source: str, run_id: int, files: Sequence[FileRead]
) -> None:
    """Record files as the last accepted ones.

    Args:
        connection: the connection of the attempt's transaction.
        source: the name of the source.
        run_id: the run that accepts them.
        files: that the source has read.
    """
    for file in files:
        values = {
            "source": source,
            "run_id": run_id,
            "name": file.name,
            "release": file.release,
            "digest": file.digest,
            "rows": file.rows,
            "genes": file.genes,
            "bytes": file.download.size,
            "address": file.download.address,
            "marker": file.download.marker,
        }
        await connection.execute(_ACCEPT, values)
