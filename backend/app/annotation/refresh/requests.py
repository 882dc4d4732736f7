import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.genes.selection import find_hgnc_ids
from app.annotation.own_tables.registry import all_sources
from app.annotation.sources import SOURCES
from app.annotation.sources.declaration import SourceInfo
from app.core.errors import WrongUse
from app.core.runs import operations
from app.core.runs.actors import Actor
from app.core.runs.operations import Created
from app.core.runs.request import RunRequest
from app.core.workers.dispatcher import Dispatcher
from app.db.tables import annotations, genes


async def request_run(
    db: AsyncEngine,
    dispatcher: Dispatcher,
    request: RunRequest,
    *,
    enabled: Sequence[str],
    actor: Actor,
    resume: bool = False,
    arq_job_id: str | None = None,
    traceparent: str | None = None,
) -> Created:
    """Create the requested run and send its wake-up, or return the active run of the same request.

    Args:
        db: PostgreSQL.
        dispatcher: the dispatcher, which sends the wake-up after the commit.
        request: the request. It may name genes by symbol or by any identifier.
        enabled: the enabled sources, which a run of all sources covers.
        actor: who requests the run.
        resume: reopen the latest failed or cancelled run of the same request, if there is one.
        arq_job_id: the id of the arq job, if a client enqueued the job itself.
        traceparent: the traceparent of the HTTP request, if it has one.

    Raises:
        WrongUse: a source or gene is unknown, or there are no genes to annotate.
        Conflict: a different active run covers one of the sources.
    """
    async with db.begin() as connection:
        covers = await plan(connection, request, enabled=enabled)
        if request.genes is not None:
            found = await find_hgnc_ids(connection, request.genes)
            request = replace(request, genes=tuple(found))
        ref = None
        if resume:
            # before the active run is sought, because another request may be reopening it
            await operations.lock_creation(connection)
            if await operations.find_active(connection, request) is None:
                ref = await operations.reopen(connection, request, actor=actor)
        if ref is not None:
            created = Created(ref, "queued", created=False)
        else:
            created = await operations.create(
                connection,
                request,
                covers,
                actor=actor,
                arq_job_id=arq_job_id,
                traceparent=traceparent,
            )
    if created.created or ref is not None:
        await dispatcher.send([created.ref])
    return created


async def plan(
    connection: AsyncConnection, request: RunRequest, *, enabled: Sequence[str]
) -> list[str]:
    """Return the sources that a run of a request covers, in order.

    These are the requested sources, and the sources of identifiers that some genes lack.

    Args:
        connection: the database connection.
        request: the request.
        enabled: the enabled sources, which a run of all sources covers.

    Raises:
        WrongUse: a source is unknown, or there are no genes to annotate.
    """
    known = await all_sources(connection)
    names = in_order(request, known, enabled)
    await _require_genes(connection)
    return await _with_needed(connection, known, names)


async def require_sources(
    connection: AsyncConnection, request: RunRequest, *, enabled: Sequence[str]
) -> None:
    """Check that the sources of a request exist.

    Raises:
        WrongUse: a source is unknown.
    """
    in_order(request, await all_sources(connection), enabled)


def in_order(
    request: RunRequest, known: Mapping[str, SourceInfo], enabled: Sequence[str]
) -> list[str]:
    """Return the sources that a request names, in the order of the registry.

    Args:
        request: the request.
        known: all sources.
        enabled: the built-in sources that a run of all sources covers. It covers all own tables.

    Raises:
        WrongUse: a source is unknown.
    """
    if request.sources is None:
        return [name for name in known if name in enabled or name not in SOURCES]
    for name in request.sources:
        if name not in known:
            near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
            hint = f", did you mean {near[0]}?" if near else ""
            raise WrongUse(f"unknown source {name[:80]!r}{hint}", allowed=", ".join(known))
    return [name for name in known if name in request.sources]


async def _require_genes(connection: AsyncConnection) -> None:
    found = await connection.execute(select(exists().where(genes.c.id.is_not(None))))
    if not found.scalar_one():
        raise WrongUse(
            "there are no genes to annotate",
            remedy="`just genes-import FILE`, or `just genes-import hgnc` for all protein-coding",
        )


async def _with_needed(
    connection: AsyncConnection, known: Mapping[str, SourceInfo], names: list[str]
) -> list[str]:
    """Add the sources of identifiers that a requested source needs and some genes lack."""
    covers = list(names)
    for name in names:
        for column in sorted(known[name].needs):
            provider = _provider(column)
            if provider is None or provider in covers:
                continue
            if await lacks_identifiers(connection, column, provider):
                covers.append(provider)
    return [name for name in known if name in covers]


async def lacks_identifiers(connection: AsyncConnection, column: str, provider: str) -> bool:
    """Tell whether a gene lacks an identifier that its source has not been asked for yet.

    Args:
        connection: the database connection.
        column: the column of ``genes`` with the identifier.
        provider: the source that fills the column.
    """
    answered = exists().where(
        annotations.c.gene_id == genes.c.id,
        annotations.c.source == provider,
        annotations.c.state != "unknown",
    )
    approved = genes.c.withdrawn_at.is_(None)
    lacking = select(exists().where(genes.c[column].is_(None), approved, ~answered))
    found = await connection.execute(lacking)
    return bool(found.scalar_one())


def _provider(column: str) -> str | None:
    return next((name for name, source in SOURCES.items() if column in source.info.provides), None)
