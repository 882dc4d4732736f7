"""Restores the answers of a source at an earlier moment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Insert,
    MetaData,
    Table,
    Text,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.moments import Moment, find_moment, parse_time, require_history
from app.annotation.data.snapshots import MAX_NOTE, MAX_WHO, check_text
from app.annotation.data.versions import answers_at
from app.annotation.own_tables.registry import all_sources
from app.core.errors import NotFound, WrongUse
from app.core.runs.by_source import require_inactive
from app.core.runs.operations import CREATING
from app.core.text.field_docs import View
from app.core.text.nearest import did_you_mean
from app.db.locks import hold
from app.db.tables import annotations

MAX_EXAMPLES = 10
"""Maximum number of genes shown."""


class RolledBackGene(View):
    """A gene whose answer the rollback changes."""

    hgnc_id: str
    symbol: str
    state_before: str
    """The state of the replaced answer."""
    state: str
    """The state of the restored answer; `unknown` if there was none."""


class RolledBack(View):
    """The result of a rollback or of its dry run."""

    id: int | None
    """The id of the rollback; null if nothing was changed."""
    source: str
    to: datetime
    """The time of the restored answers."""
    snapshot: str | None
    """The snapshot, if the time was given by its name."""
    genes: int
    """The number of genes whose answer changes."""
    unknown: int
    """The number of genes that become unknown, because they had no good answer then."""
    dry_run: bool
    """Whether this is a dry run, which changes nothing."""
    examples: list[RolledBackGene]
    """Some of the genes."""


_SOURCES = text(
    """
    WITH RECURSIVE named AS (
      (SELECT source FROM annotations ORDER BY source LIMIT 1)
      UNION ALL
      SELECT (SELECT a.source FROM annotations a WHERE a.source > n.source
              ORDER BY a.source LIMIT 1) FROM named n WHERE n.source IS NOT NULL
    )
    SELECT source FROM named WHERE source IS NOT NULL
    """
)

# waits for a snapshot that is being taken, and makes later ones wait
_LOCK = text("LOCK TABLE annotations IN ROW EXCLUSIVE MODE")

_CREATE = text(
    """
    CREATE TEMPORARY TABLE restored (gene_id bigint, state text, data jsonb, release text,
      fetched_at timestamptz, run_id bigint, origin_id bigint) ON COMMIT DROP
    """
)

_RESTORED = Table(
    "restored",
    MetaData(),
    Column("gene_id", BigInteger),
    Column("state", Text),
    Column("data", JSONB),
    Column("release", Text),
    Column("fetched_at", DateTime(timezone=True)),
    Column("run_id", BigInteger),
    Column("origin_id", BigInteger),
)

_COUNTS = text(
    "SELECT count(*) AS genes, count(*) FILTER (WHERE state = 'unknown') AS unknown FROM restored"
)

_EXAMPLES = text(
    """
    SELECT g.hgnc_id, g.symbol, a.state AS state_before, r.state
    FROM restored r JOIN genes g ON g.id = r.gene_id
      JOIN annotations a ON a.gene_id = r.gene_id AND a.source = :source
    ORDER BY g.symbol LIMIT :examples
    """
)

# as in app.annotation.refresh.commits: later than the last snapshot
_CLOCK = text(
    "SELECT greatest(clock_timestamp(), max(at) + interval '1 microsecond') FROM snapshots"
)

_RECORD = text(
    """
    INSERT INTO rollbacks (source, "to", snapshot, genes, by, note, at)
    VALUES (:source, :to, :snapshot, :genes, :by, :note, :at) RETURNING id
    """
)

_KEEP_FORMER = text(
    """
    INSERT INTO annotation_history (gene_id, source, state, data, release, valid_from, valid_to,
      rollback_id, changed_run_id, fetched_at, fetched_run_id, origin_ids, origin_since)
    SELECT a.gene_id, a.source, a.state, a.data, a.release, a.valid_from,
      greatest(CAST(:at AS timestamptz), a.valid_from + interval '1 microsecond'),
      :rollback_id, a.changed_run_id, a.fetched_at, a.fetched_run_id, a.origin_ids, a.origin_since
    FROM restored r JOIN annotations a ON a.gene_id = r.gene_id AND a.source = :source
    """
)

# The last checks stay, so that the source is not asked again before it has another release. The
# restored origin is valid since the answer was fetched.
_RESTORE = text(
    """
    UPDATE annotations a SET state = r.state, data = r.data, release = r.release,
      fetched_at = r.fetched_at, fetched_run_id = r.run_id, origin_id = r.origin_id,
      origin_ids = CASE WHEN r.origin_id IS NULL THEN '{}' ELSE ARRAY[r.origin_id] END,
      origin_since = CASE WHEN r.origin_id IS NULL THEN '{}' ELSE ARRAY[r.fetched_at] END,
      valid_from = greatest(CAST(:at AS timestamptz), a.valid_from + interval '1 microsecond'),
      changed_run_id = NULL,
      reason = CASE WHEN r.state = 'unknown' THEN :reason ELSE a.reason END
    FROM restored r WHERE a.gene_id = r.gene_id AND a.source = :source
    """
)


async def roll_back(
    connection: AsyncConnection,
    source: str,
    to: str,
    *,
    note: str | None,
    by: str,
    dry_run: bool = False,
) -> RolledBack:
    """Restore the answers of a source at a moment.

    The replaced answers move to the history, so a rollback can be rolled back. A gene that had no
    answer at the moment becomes unknown. No run of the source can begin meanwhile.

    Args:
        connection: a connection with an open transaction.
        source: the name of the source, which may be a removed own table.
        to: a day, a time, or the name of a snapshot.
        note: the reason.
        by: who rolls it back.
        dry_run: whether to return only what would change.

    Raises:
        WrongUse: ``to`` is neither a moment nor a snapshot, or a text is too long.
        NotFound: there is no such source.
        Conflict: an active run covers the source.
    """
    by = check_text("by", by, MAX_WHO)
    note = check_text("note", note, MAX_NOTE) if note and note.strip() else None
    await _require_source(connection, source)
    moment = await _find_moment(connection, to)
    assert moment.at is not None
    await connection.run_sync(hold, CREATING)
    await require_inactive(connection, source, "a source")
    await connection.execute(_LOCK)
    await connection.execute(_CREATE)
    await connection.execute(_differing(source, moment))
    counts = (await connection.execute(_COUNTS)).one()
    found = await connection.execute(_EXAMPLES, {"source": source, "examples": MAX_EXAMPLES})
    examples = [RolledBackGene(**row) for row in found.mappings()]
    rollback_id: int | None = None
    if counts.genes and not dry_run:
        record = {"genes": counts.genes, "by": by, "note": note}
        rollback_id = await _write(connection, source, moment, record)
    return RolledBack(
        id=rollback_id,
        source=source,
        to=moment.at,
        snapshot=moment.snapshot,
        genes=counts.genes,
        unknown=counts.unknown,
        dry_run=dry_run,
        examples=examples,
    )


async def _require_source(connection: AsyncConnection, source: str) -> None:
    known = dict.fromkeys([*await all_sources(connection)])
    known |= dict.fromkeys((await connection.execute(_SOURCES)).scalars())
    if source not in known:
        hint = did_you_mean(source, known, cutoff=0.5)
        raise NotFound(f"there is no source {source[:80]!r}{hint}", allowed=", ".join(known))


async def _find_moment(connection: AsyncConnection, to: str) -> Moment:
    """Return the moment of a time or a snapshot. A snapshot's name begins with a letter."""
    if to[:1].isalpha():
        try:
            return await find_moment(connection, snapshot=to)
        except NotFound as error:
            raise WrongUse(error.found, allowed=f"a day, a time, or {error.allowed}") from None
    now = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    at = parse_time("to", to, now)
    await require_history(connection, at)
    return Moment(at)


def _differing(source: str, moment: Moment) -> Insert:
    """Return the statement that collects the moment's answers that differ from the present ones."""
    then = answers_at(moment, "was")
    state = func.coalesce(then.c.state, literal("unknown"))
    differing: Any = (
        select(
            annotations.c.gene_id,
            state,
            then.c.data,
            then.c.release,
            then.c.fetched_at,
            then.c.run_id,
            then.c.origin_id,
        )
        .select_from(
            annotations.outerjoin(
                then, and_(then.c.gene_id == annotations.c.gene_id, then.c.source == source)
            )
        )
        .where(
            annotations.c.source == source,
            or_(
                annotations.c.state.is_distinct_from(state),
                annotations.c.data.is_distinct_from(then.c.data),
            ),
        )
    )
    return insert(_RESTORED).from_select([column.name for column in _RESTORED.c], differing)


async def _write(
    connection: AsyncConnection, source: str, moment: Moment, record: Mapping[str, Any]
) -> int:
    at = (await connection.execute(_CLOCK)).scalar_one()
    values = {"source": source, "at": at}
    where = {"to": moment.at, "snapshot": moment.snapshot}
    recorded = await connection.execute(_RECORD, {**values, **where, **record})
    rollback_id: int = recorded.scalar_one()
    await connection.execute(_KEEP_FORMER, values | {"rollback_id": rollback_id})
    to = f"snapshot {moment.snapshot}" if moment.snapshot else f"{moment.at:%Y-%m-%d %H:%M} UTC"
    reason = f"rolled back to {to}, when there was no good answer"
    await connection.execute(_RESTORE, values | {"reason": reason})
    return rollback_id
