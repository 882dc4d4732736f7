"""Plans an export and starts its process, on one consistent state of the database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import IO

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.data.export.planning import ExportRequest, Plan, plan
from app.annotation.data.export.process import Export, exporting
from app.db.engine import dsn_of

_EXPORT_SNAPSHOT = text("SELECT pg_export_snapshot()")


@asynccontextmanager
async def consistent(db: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a read-only transaction that sees one consistent state of the database."""
    async with db.connect() as connection:
        yield await connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )


@asynccontextmanager
async def begin(
    db: AsyncEngine,
    request: ExportRequest,
    *,
    output: IO[bytes] | int,
    folder: str,
    gzip: bool = False,
) -> AsyncIterator[tuple[Plan, Export]]:
    """Validate an export and start it. The context waits for its end.

    Args:
        db: the database.
        request: the request.
        output: a file to write to, or ``asyncio.subprocess.PIPE``.
        folder: the folder for temporary files.
        gzip: whether the output is compressed with gzip.

    Raises:
        WrongUse, UserError: see :func:`~.planning.plan`.
        ExportFailed, OutputClosed, ExportProcessDied: see :func:`~.process.exporting`.
    """
    async with AsyncExitStack() as stack:
        # the child process opens the snapshot of this transaction, which can end then
        async with consistent(db) as connection:
            planned = await plan(connection, request)
            snapshot = (await connection.execute(_EXPORT_SNAPSHOT)).scalar_one()
            order = planned.order(dsn=dsn_of(db), snapshot=snapshot, folder=folder, gzip=gzip)
            export = await stack.enter_async_context(exporting(order, output))
        yield planned, export
