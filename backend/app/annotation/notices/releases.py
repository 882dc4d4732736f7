"""Describes what a new release of a source changed."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.data import changes
from app.annotation.data.changes import ChangeSelection, Tally
from app.annotation.data.fields import all_fields
from app.annotation.data.moments import Moment, require_history
from app.annotation.sources import SOURCES
from app.core.errors import WrongUse
from app.core.notify.message import Kind
from app.core.notify.notice import Notice, one_line
from app.core.notify.run_events import RunEvent

_RUN = text(
    "SELECT done, now() AS now FROM run_sources WHERE run_id = :run_id AND source = :source"
)


async def describe_arrival(db: AsyncEngine, event: RunEvent) -> Notice:
    """Return the notice about a new release, with the number of genes whose answers changed.

    The numbers equal those of `just changes` for the same period.

    Args:
        db: the database.
        event: the event of the run that refreshed the source.
    """
    source, release = str(event.detail["source"]), one_line(str(event.detail["release"]), 60)
    since = datetime.fromisoformat(event.detail["since"])
    async with changes.reading(db) as connection:
        values = {"run_id": event.run_id, "source": source}
        run = (await connection.execute(_RUN, values)).one()
        counts = await _counts(connection, source, since, event.at)
    title = f"{SOURCES[source].info.title if source in SOURCES else source} {release}"
    lines = [f"Run {event.run_id} refreshed {source} to the release {release}."]
    detail = {"run": event.run_id, "source": source, "release": release, "genes": run.done}
    if counts is None:
        facts = ["it arrived"]
        lines.append(
            "The changes are not counted: the history does not reach back to the former release."
        )
    else:
        gained = dict(counts.gained)
        changed, first = counts.kinds["changed"], counts.kinds["first answer"]
        number = f"{changed:,}" if changed else "none"
        facts = [f"{number} of {run.done:,} genes changed"]
        facts += [f"{genes:,} {words}" for words, genes in gained.items()]
        lines += [f"{first:,} genes have their first answer."] if first else []
        detail |= {"changed": changed, "first_answers": first, "gained": gained}
    lines.append(f"To see what changed: just changes --run {event.run_id} --source {source}")
    return Notice(
        kind=Kind.RELEASE_ARRIVED,
        at=event.at,
        title=f"{title}: {', '.join(facts)}",
        text="\n".join(lines),
        detail=detail,
    )


async def _counts(
    connection: AsyncConnection, source: str, since: datetime, until: datetime
) -> Tally | None:
    """Count the genes by the kind of the change, and by what they gained.

    Returns:
        The numbers; None if the history does not reach back to ``since``.
    """
    try:
        await require_history(connection, since)
    except WrongUse:
        return None
    fields = await all_fields(connection)
    if source not in fields:
        return None  # an own table that was removed since
    selection = ChangeSelection(
        fields=fields, now=until, start=since, to=Moment(until), source=source
    )
    return (await changes.tally(connection, selection)).get(source, Tally())
