"""Plans an export and starts the process that writes it, on one state of the database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import IO

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.data.export.planning import Asked, Plan, plan
from app.annotation.data.export.process import Export, exporting
from app.db.engine import dsn_of

_EXPORT_SNAPSHOT = text("SELECT pg_export_snapshot()")


@asynccontextmanager
async def consistent(db: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that only reads, and sees one state of the database."""
    async with db.connect() as connection:
        yield await connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )


@asynccontextmanager
async def begin(
    db: AsyncEngine, asked: Asked, *, output: IO[bytes] | int, folder: str, gzip: bool = False
) -> AsyncIterator[tuple[Plan, Export]]:
    """Check an export, and start it. It has ended when the context ends.

    Args:
        db: the database.
        asked: what to export.
        output: a file to write to, or ``asyncio.subprocess.PIPE``.
        folder: for temporary files.
        gzip: whether the output is compressed.

    Raises:
        WrongUse, UserError: see :func:`~.planning.plan`.
        ExportFailed, OutputClosed, ExportProcessDied: see :func:`~.process.exporting`.
    """
    async with AsyncExitStack() as stack:
        # the process takes over the snapshot of this transaction, which ends then
        async with consistent(db) as connection:
            planned = await plan(connection, asked)
            snapshot = (await connection.execute(_EXPORT_SNAPSHOT)).scalar_one()
            order = planned.order(dsn=dsn_of(db), snapshot=snapshot, folder=folder, gzip=gzip)
            export = await stack.enter_async_context(exporting(order, output))
        yield planned, export
