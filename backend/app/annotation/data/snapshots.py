"""Takes, lists and deletes snapshots: named moments whose answers stay readable."""

import re
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.manifest import Manifest, in_order, manifest_of, read_manifest
from app.annotation.data.moments import NOW, snapshot_time
from app.core.errors import FIND_SESSION, Conflict, WrongUse
from app.core.notify import outbox
from app.core.notify.message import Kind
from app.core.notify.notice import Notice
from app.core.text.field_docs import View
from app.db.locks import waiting_for
from app.db.sqlstate import sqlstate
from app.db.text import is_storable

NAME = re.compile(r"[a-z][a-z0-9._-]{0,29}", re.ASCII)

_RESERVED = frozenset({"all", "none", "now"})

ALLOWED_NAME = "at most 30 lower-case letters, digits, `.`, `-` and `_`, with a letter first"

LOCK_TIMEOUT = 10.0
"""Seconds to wait for open transactions that write answers. Other writers wait meanwhile."""

MAX_NOTE = 2_000
"""Maximum length of a note in characters."""

MAX_WHO = 200
"""Maximum length of a person's name in characters."""

_LOCK_NOT_AVAILABLE = "55P03"


class SnapshotSummary(View):
    """A snapshot, without its manifest."""

    name: str
    at: datetime
    """The time of the snapshot."""
    note: str | None
    """The reason."""
    by: str
    """The person who took the snapshot."""
    genes: int
    """The number of genes in the database at that moment."""
    sources: list[str]
    """The sources with answers at that moment."""


class Snapshot(View):
    """A snapshot with its manifest."""

    name: str
    at: datetime
    """The time of the snapshot."""
    note: str | None
    """The reason."""
    by: str
    """The person who took the snapshot."""
    manifest: Manifest


# With this lock, every writer of answers or genes has committed, or waits and takes a later time.
_LOCK = text("LOCK TABLE annotations, genes IN SHARE MODE")

# the clock may have been set back since the last answer, release, gene or event of a gene
_TIME = text(
    """
    SELECT greatest(clock_timestamp(), (SELECT max(valid_from) FROM annotations),
      (SELECT max(origin_since[cardinality(origin_since)]) FROM annotations),
      (SELECT max(created_at) FROM genes), (SELECT max(at) FROM gene_events),
      (SELECT max(at) + interval '1 microsecond' FROM snapshots))
    """
)

_EXISTS = text("SELECT count(*) FROM snapshots WHERE name = :name")

_TAKE = text(
    """
    INSERT INTO snapshots (name, at, note, by, manifest)
    VALUES (:name, :at, :note, :by, CAST(:manifest AS jsonb))
    ON CONFLICT (name) DO NOTHING
    """
)

_LIST = text(
    """
    SELECT name, at, note, by, CAST(manifest ->> 'genes' AS bigint) AS genes,
      ARRAY(SELECT jsonb_object_keys(manifest -> 'sources')) AS sources
    FROM snapshots ORDER BY at DESC, id DESC
    """
)

_ONE = text("SELECT name, at, note, by, manifest FROM snapshots WHERE name = :name")

_DELETE = text("DELETE FROM snapshots WHERE name = :name")


def check_text(what: str, value: str, max_chars: int) -> str:
    """Return a typed text without surrounding blanks.

    Raises:
        WrongUse: the text is empty, too long, or has a character that PostgreSQL cannot store.
    """
    value = value.strip()
    if not value or len(value) > max_chars or not is_storable(value):
        raise WrongUse(f"{what} {value[:40]!r}", allowed=f"1 to {max_chars:,} characters of UTF-8")
    return value


async def take(connection: AsyncConnection, name: str, *, note: str | None, by: str) -> Snapshot:
    """Take a snapshot of the present answers.

    The time is taken while no transaction writes answers or genes, so no answer that is committed
    later can be valid at it.

    Args:
        connection: a connection with an open transaction. Commit it soon, because writers wait for
            it.
        name: the name of the snapshot.
        note: the reason.
        by: the person who takes it.

    Raises:
        WrongUse: the name is not allowed, or a text is too long.
        Conflict: the snapshot exists, or a transaction writes answers for too long.
    """
    if not NAME.fullmatch(name) or name in _RESERVED:
        reserved = f", and not {', '.join(sorted(_RESERVED))}"
        raise WrongUse(
            f"{name[:60]!r} cannot be the name of a snapshot", allowed=ALLOWED_NAME + reserved
        )
    by = check_text("by", by, MAX_WHO)
    note = check_text("note", note, MAX_NOTE) if note and note.strip() else None
    if (await connection.execute(_EXISTS, {"name": name})).scalar_one():
        raise _exists(name)
    try:
        await connection.run_sync(_keep_writers_out)
    except DBAPIError as error:
        if sqlstate(error) != _LOCK_NOT_AVAILABLE:
            raise
        raise Conflict(
            f"a transaction has been writing answers or genes for more than {LOCK_TIMEOUT:g} s",
            allowed="a moment without open transactions that have written answers or genes",
            remedy="try again; if it happens again, find the session",
            steps=(FIND_SESSION,),
        ) from error
    at = (await connection.execute(_TIME)).scalar_one()
    manifest = (await manifest_of(connection, NOW)).model_copy(
        update={"at": at, "snapshot": name, "note": note}
    )
    values = {"name": name, "at": at, "note": note, "by": by}
    taken = await connection.execute(_TAKE, values | {"manifest": manifest.model_dump_json()})
    if not taken.rowcount:
        raise _exists(name)
    await outbox.add(connection, _notice(name, at, by, note, manifest))
    return Snapshot(name=name, at=at, note=note, by=by, manifest=manifest)


def _keep_writers_out(connection: Connection) -> None:
    with waiting_for(connection, LOCK_TIMEOUT):
        connection.execute(_LOCK)


def _notice(name: str, at: datetime, by: str, note: str | None, manifest: Manifest) -> Notice:
    why = f": {note}" if note else ""
    return Notice(
        kind=Kind.SNAPSHOT_TAKEN,
        at=at,
        title=f"Snapshot {name} was taken by {by}",
        text=f"{by} took the snapshot {name} of {manifest.genes:,} genes{why}\n"
        f"To look at it: just snapshot {name} --show",
        detail={"snapshot": name, "by": by, "genes": manifest.genes},
    )


def _exists(name: str) -> Conflict:
    return Conflict(
        f"there is a snapshot {name} already, and a snapshot cannot be changed",
        allowed="a new name",
        remedy=f"to look at it: `just snapshot {name} --show`",
    )


async def list_snapshots(connection: AsyncConnection) -> list[SnapshotSummary]:
    """Return all snapshots, the newest first."""
    found = (await connection.execute(_LIST)).mappings()
    return [SnapshotSummary(**{**row, "sources": in_order(row["sources"])}) for row in found]


async def get_snapshot(connection: AsyncConnection, name: str) -> Snapshot:
    """Return a snapshot with its manifest.

    Raises:
        NotFound: there is no such snapshot.
    """
    await snapshot_time(connection, name)
    row = (await connection.execute(_ONE, {"name": name})).mappings().one()
    return Snapshot(**{**row, "manifest": read_manifest(row["manifest"])})


async def delete_snapshot(connection: AsyncConnection, name: str, *, force: bool) -> None:
    """Delete a snapshot. The retention of the history may then remove answers of its moment.

    Args:
        connection: a connection with an open transaction.
        name: the name of the snapshot.
        force: must be true, as a safeguard.

    Raises:
        NotFound: there is no such snapshot.
        WrongUse: ``force`` is false.
    """
    at = await snapshot_time(connection, name)
    if not force:
        raise WrongUse(
            f"snapshot {name} of {at:%Y-%m-%d %H:%M} UTC is not deleted: publications may cite it",
            allowed="to delete it with --force, or ?force=true over HTTP",
            remedy=f"`just snapshot {name} --delete --force`",
        )
    await connection.execute(_DELETE, {"name": name})
