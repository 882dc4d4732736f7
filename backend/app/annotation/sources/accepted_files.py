"""The bulk files that were accepted last. The next ones are compared with them."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources.base import FileRead

MAX_LOST_SHARE = 0.05
"""The share of its rows, or of its genes, that a file may lose since the last one accepted."""

_ACCEPTED = text(
    "SELECT name, digest, rows, genes, release FROM accepted_files WHERE source = :source"
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


async def what_is_wrong_with(
    connection: AsyncConnection, source: str, files: Sequence[FileRead]
) -> str | None:
    """Return why the files are not plausible; None if they are.

    Args:
        connection: to read from.
        source: its name.
        files: that the source has read.
    """
    found = await connection.execute(_ACCEPTED, {"source": source})
    accepted = {row.name: row for row in found}
    problems = []
    for file in files:
        before = accepted.get(file.name)
        if not file.rows:
            problems.append(f"{file.name} has no rows")
        elif before is not None and before.digest != file.digest:
            if before.release and file.release < before.release:
                problems.append(
                    f"{file.name} is of {file.release}, older than the last one accepted, of"
                    f" {before.release}"
                )
            least = 1 - MAX_LOST_SHARE
            if file.rows < before.rows * least or file.genes < before.genes * least:
                problems.append(
                    f"{file.name} of {file.release} lost more than {MAX_LOST_SHARE:.0%}: it has"
                    f" {file.rows:,} rows with {file.genes:,} genes, and the last one accepted, of"
                    f" {before.release}, had {before.rows:,} rows with {before.genes:,} genes"
                )
    return "; ".join(problems) or None


async def accept(
    connection: AsyncConnection, source: str, run_id: int, files: Sequence[FileRead]
) -> None:
    """Record the files as the ones accepted last.

    Args:
        connection: in the attempt's transaction.
        source: its name.
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
