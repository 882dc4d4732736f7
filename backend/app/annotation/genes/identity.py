"""Updates the identity of genes from HGNC: new names, and merged, split and withdrawn genes.

HGNC's complete set lists all approved genes, and `withdrawn.txt` lists genes that are no longer
approved. After each reading of the complete set, both files are compared with the table `genes`,
and all changes are written in one transaction. Nothing is deleted.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.identifiers import Identifiers, change_identifiers
from app.annotation.sources.answers import FileRead
from app.annotation.sources.base import Source
from app.annotation.sources.hgnc import WITHDRAWN, Hgnc
from app.annotation.sources.hgnc.identity import READER, Block
from app.annotation.upstream import BadAnswer, Download, UpstreamUnavailable
from app.annotation.upstream.bulk_files.messages import Done
from app.annotation.upstream.bulk_files.process import UnreadableFile, read_in_child
from app.core.runs.attempt import Attempt

logger = logging.getLogger(__name__)

# A transaction that writes names takes this lock before it writes any row of genes. Otherwise two
# such transactions could deadlock.
_LOCK = text("LOCK TABLE gene_names IN SHARE ROW EXCLUSIVE MODE")

_TABLES = (
    text(
        """
        CREATE TEMPORARY TABLE hgnc_approved
          (hgnc_id text, symbol text, ensembl_gene_id text, entrez_id text) ON COMMIT DROP
        """
    ),
    text(
        """
        CREATE TEMPORARY TABLE hgnc_names (hgnc_id text, kind text, name text) ON COMMIT DROP
        """
    ),
    text(
        """
        CREATE TEMPORARY TABLE hgnc_withdrawn
          (hgnc_id text, event text, successors text[]) ON COMMIT DROP
        """
    ),
)

_COPY = {
    "approved": "COPY hgnc_approved FROM STDIN",
    "names": "COPY hgnc_names FROM STDIN",
    "withdrawn": "COPY hgnc_withdrawn FROM STDIN",
}
"""The statement that fills each table, by what a block names it."""

_MERGE_NAMES = (
    text("ANALYZE hgnc_names"),
    text(
        """
        DELETE FROM gene_names n WHERE NOT EXISTS (SELECT FROM hgnc_names h
          WHERE (h.hgnc_id, h.kind, h.name) = (n.hgnc_id, n.kind, n.name))
        """
    ),
    text(
        """
        INSERT INTO gene_names (hgnc_id, kind, name) SELECT h.hgnc_id, h.kind, h.name
        FROM hgnc_names h WHERE NOT EXISTS (SELECT FROM gene_names n
          WHERE (h.hgnc_id, h.kind, h.name) = (n.hgnc_id, n.kind, n.name))
        """
    ),
)

# the merged ids come from the list of withdrawn genes only
_MERGED_IDS = (
    text(
        """
        DELETE FROM merged_ids m WHERE EXISTS (SELECT FROM hgnc_withdrawn) AND NOT EXISTS (
          SELECT FROM hgnc_withdrawn w WHERE w.hgnc_id = m.hgnc_id AND w.event = 'merged')
        """
    ),
    text(
        """
        INSERT INTO merged_ids AS m (hgnc_id, successor)
        SELECT DISTINCT ON (w.hgnc_id) w.hgnc_id, w.successors[1] FROM hgnc_withdrawn w
        WHERE w.event = 'merged' ORDER BY w.hgnc_id
        ON CONFLICT (hgnc_id) DO UPDATE SET successor = excluded.successor
        WHERE m.successor <> excluded.successor
        """
    ),
)

_RENAMED = text(
    """
    SELECT g.id, h.symbol, h.ensembl_gene_id, h.entrez_id
    FROM hgnc_approved h JOIN genes g ON g.hgnc_id = h.hgnc_id
    WHERE (h.symbol, h.ensembl_gene_id, h.entrez_id)
      IS DISTINCT FROM (g.symbol, g.ensembl_gene_id, g.entrez_id)
    """
)

_APPROVE_AGAIN = text(
    """
    WITH again AS (
      UPDATE genes g SET withdrawn_at = NULL, successor_id = NULL, updated_at = now()
      FROM hgnc_approved h WHERE h.hgnc_id = g.hgnc_id AND g.withdrawn_at IS NOT NULL
      RETURNING g.id
    )
    INSERT INTO gene_events (gene_id, event, run_id)
    SELECT id, 'approved again', CAST(:run_id AS bigint) FROM again ORDER BY id
    """
)

# a gene is skipped if its fate is already recorded
_FATES = text(
    """
    CREATE TEMPORARY TABLE fates ON COMMIT DROP AS
    SELECT g.id, w.event, w.successors FROM hgnc_withdrawn w JOIN genes g ON g.hgnc_id = w.hgnc_id
    LEFT JOIN LATERAL (
      SELECT e.event, e.detail -> 'into' AS successors FROM gene_events e
      WHERE e.gene_id = g.id AND e.event IN ('merged', 'split', 'withdrawn', 'approved again')
      ORDER BY e.id DESC LIMIT 1
    ) last ON true
    WHERE g.withdrawn_at IS NULL
      OR (last.event, last.successors) IS DISTINCT FROM (w.event, to_jsonb(w.successors))
    """
)

_IMPORT_SUCCESSORS = text(
    """
    WITH added AS (
      INSERT INTO genes (hgnc_id, symbol, ensembl_gene_id, entrez_id)
      SELECT h.hgnc_id, h.symbol, h.ensembl_gene_id, h.entrez_id FROM hgnc_approved h
      WHERE h.hgnc_id IN (SELECT successors[1] FROM fates WHERE event = 'merged')
      ORDER BY h.hgnc_id
      ON CONFLICT (hgnc_id) DO NOTHING RETURNING id
    )
    INSERT INTO gene_events (gene_id, event, run_id)
    SELECT id, 'imported as a successor', CAST(:run_id AS bigint) FROM added ORDER BY id
    """
)

# The successor of a merged gene exists unless its record is incomplete. In that case the merged
# gene is withdrawn later, when the record is complete.
_WITHDRAW = text(
    """
    WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at),
    gone AS (
      UPDATE genes g SET withdrawn_at = coalesce(g.withdrawn_at, m.at), successor_id = s.id,
        updated_at = now()
      FROM moment m CROSS JOIN fates f
        LEFT JOIN genes s ON f.event = 'merged' AND s.hgnc_id = f.successors[1]
      WHERE g.id = f.id AND (f.event <> 'merged' OR s.id IS NOT NULL)
      RETURNING g.id, f.event, f.successors
    ),
    events AS (
      INSERT INTO gene_events (gene_id, at, event, detail, run_id)
      SELECT id, m.at, event, jsonb_build_object('into', successors), CAST(:run_id AS bigint)
      FROM moment m CROSS JOIN gone ORDER BY id
    )
    SELECT id FROM gone
    """
)


async def follow_identity(source: Source, attempt: Attempt) -> frozenset[int]:
    """Update the identity of genes from HGNC's files, in one transaction.

    Args:
        source: the source whose file was accepted. Only HGNC's has an effect.
        attempt: the attempt that guards the transaction.

    Returns:
        The ids of the newly withdrawn genes. They keep their annotations.

    Raises:
        Superseded: another attempt has taken over the run.
        Wait: the disk is full or Redis is unavailable. An unavailable list of withdrawn genes does
            not raise it.
    """
    if not isinstance(source, Hgnc) or not source.files:
        return frozenset()
    blocks = await read_identity(source.files[0], source.withdrawn)
    if blocks is None:
        return frozenset()
    async with attempt.transaction(progress=False) as connection:
        return await apply(connection, blocks, attempt.ref.run_id)


async def read_identity(
    complete_set: FileRead, fetch_withdrawn: Callable[[], Awaitable[Download]]
) -> list[Block] | None:
    """Read HGNC's two files in a child process.

    Without a usable `withdrawn.txt`, only names are read and no gene is withdrawn.

    Args:
        complete_set: the accepted file.
        fetch_withdrawn: downloads `withdrawn.txt`.

    Returns:
        the rows for :func:`apply`; None if another process has replaced the complete set meanwhile.

    Raises:
        Wait: the disk is full, or Redis, which holds the request budget, is unavailable.
    """
    paths = [complete_set.download.path]
    try:
        withdrawn = await fetch_withdrawn()
        blocks = await _read([*paths, withdrawn.path], complete_set.digest)
    except UnreadableFile as error:
        await withdrawn.discard()
        logger.warning(
            "%s cannot be used, so no gene is withdrawn until the next run: %s", WITHDRAWN, error
        )
    except (BadAnswer, UpstreamUnavailable) as error:
        logger.warning(
            "no list of withdrawn genes, so no gene is withdrawn until the next run: %s",
            error,
        )
    else:
        return blocks
    return await _read(paths, complete_set.digest)


async def _read(paths: Sequence[Path], digest: str) -> list[Block] | None:
    done: list[Done] = []
    blocks: list[Block] = []
    async for part in read_in_child(READER, paths, None, of=Block, done=done.append):
        blocks += part
    if done[0].files[0].digest != digest:
        logger.info("HGNC's complete set was replaced meanwhile; the next run reads its names")
        return None
    return blocks


async def lock(connection: AsyncConnection) -> None:
    """Block other writers of names until the end of the transaction."""
    await connection.execute(_LOCK)


async def apply(
    connection: AsyncConnection, blocks: Sequence[Block], run_id: int | None
) -> frozenset[int]:
    """Write the rows of :func:`read_identity`. The operation is idempotent.

    Args:
        connection: a connection with an open transaction.
        blocks: rows of HGNC's files.
        run_id: the run; None during an import of genes.

    Returns:
        The ids of the genes that are newly withdrawn or have a new successor.
    """
    await lock(connection)
    for statement in _TABLES:
        await connection.execute(statement)
    await _copy(connection, blocks)
    for statement in (*_MERGE_NAMES, *_MERGED_IDS):
        await connection.execute(statement)
    renamed = [Identifiers(*row) for row in await connection.execute(_RENAMED)]
    await change_identifiers(connection, renamed, run_id)
    values = {"run_id": run_id}
    await connection.execute(_APPROVE_AGAIN, values)
    await connection.execute(_FATES)
    await connection.execute(_IMPORT_SUCCESSORS, values)
    withdrawn = (await connection.execute(_WITHDRAW, values)).scalars()
    return frozenset(withdrawn)


async def _copy(connection: AsyncConnection, blocks: Sequence[Block]) -> None:
    """Copy rows, which are in PostgreSQL's COPY format, into the temporary tables."""
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    async with driver.cursor() as cursor:
        for table in dict.fromkeys(block.table for block in blocks):
            async with cursor.copy(_COPY[table]) as copy:
                for block in blocks:
                    if block.table == table:
                        await copy.write(block.rows)
