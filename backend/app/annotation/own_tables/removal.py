"""Removes own tables, with their annotations if somebody asks for that."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.own_tables.store import current_tables, lock, replace
from app.annotation.sources import SOURCES
from app.core.errors import Conflict, NotFound, WrongUse
from app.core.runs.by_source import require_inactive

# waits for a snapshot that is being taken, and makes later ones wait
_LOCK_ANNOTATIONS = text("LOCK TABLE annotations IN ROW EXCLUSIVE MODE")

_SNAPSHOTS = text(
    "SELECT name FROM snapshots WHERE manifest -> 'sources' ? :name ORDER BY at DESC, id DESC"
)

_FORGET_HISTORY = text("DELETE FROM annotation_history WHERE source = :name")

_FORGET_HORIZON = text("DELETE FROM history_horizon WHERE source = :name")

_FORGET_ANNOTATIONS = text("DELETE FROM annotations WHERE source = :name")


async def remove(connection: AsyncConnection, name: str, *, forget: bool) -> int:
    """Remove an own table from the sources. Its annotations stay unless ``forget`` is true.

    Args:
        connection: a connection with an open transaction.
        name: the name of the source.
        forget: whether to delete its annotations, including those of a table removed earlier.

    Returns:
        The number of deleted annotations.

    Raises:
        NotFound: there is no such own table.
        Conflict: an active run covers the table, or a snapshot contains annotations to delete.
        WrongUse: the name belongs to a built-in source.
    """
    if name in SOURCES:
        raise WrongUse(
            f"{name} is a built-in source, which cannot be removed",
            remedy=f"to exclude it from runs of all sources: DISABLED_SOURCES={name} in .env",
        )
    await lock(connection)
    await require_inactive(connection, name, "an own table")
    own = await current_tables(connection)
    removed = await replace(connection, name)
    known = await connection.execute(
        text("SELECT count(*) FROM own_tables WHERE name = :name"), {"name": name}
    )
    if not removed and not (forget and known.scalar_one()):
        raise NotFound(f"there is no own table {name[:60]!r}", allowed=", ".join(own) or "none")
    if not forget:
        return 0
    await _refuse_in_snapshot(connection, name)
    for statement in (_FORGET_HISTORY, _FORGET_HORIZON, _FORGET_ANNOTATIONS):
        gone = await connection.execute(statement, {"name": name})
    return gone.rowcount


async def _refuse_in_snapshot(connection: AsyncConnection, name: str) -> None:
    await connection.execute(_LOCK_ANNOTATIONS)
    found = (await connection.execute(_SNAPSHOTS, {"name": name})).scalars().all()
    if found:
        raise Conflict(
            f"snapshot {found[0]} has annotations of {name}"
            + (f", and so do {len(found) - 1} more" if len(found) > 1 else ""),
            allowed="to forget a source without annotations in any snapshot",
            remedy=f"remove it without --forget; or, if nothing cites the snapshot:"
            f" `just snapshot {found[0]} --delete --force`",
        )
