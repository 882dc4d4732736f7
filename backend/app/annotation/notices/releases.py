"""Says what a new release of a source changed."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.data import changes
from app.annotation.data.changes import Listed, Wanted
from app.annotation.data.changes.views import FieldDifference
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
    """Say which release arrived, and how many genes have other answers now.

    The numbers are those of `just changes` for the same time.

    Args:
        db: to read from.
        event: of the run that refreshed the source.
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
        said = ["it arrived"]
        lines.append(
            "What changed is not counted: the history does not reach back to the former release."
        )
    else:
        gained = {words: number for words, number in counts.items() if words not in _KINDS}
        changed, first = counts["changed"], counts["first answer"]
        number = f"{changed:,}" if changed else "none"
        said = [f"{number} of {run.done:,} genes changed"]
        said += [f"{genes:,} {words}" for words, genes in gained.items()]
        lines += [f"{first:,} genes have their first answer."] if first else []
        detail |= {"changed": changed, "first_answers": first, "gained": gained}
    lines.append(f"To see what changed: just changes --run {event.run_id} --source {source}")
    return Notice(
        kind=Kind.RELEASE_ARRIVED,
        at=event.at,
        title=f"{title}: {', '.join(said)}",
        text="\n".join(lines),
        detail=detail,
    )


_KINDS = ("changed", "first answer", "gene")


async def _counts(
    connection: AsyncConnection, source: str, since: datetime, until: datetime
) -> Counter[str] | None:
    """Count the genes by the kind of the change, and by what they gained.

    Returns:
        None if the history does not reach back so far.
    """
    try:
        await require_history(connection, since)
    except WrongUse:
        return None
    fields = await all_fields(connection)
    if source not in fields:
        return None  # an own table that was removed since
    gains = {field.name: field.gain for field in fields[source].values() if field.gain}
    wanted = Wanted(fields=fields, now=until, start=since, to=Moment(until), source=source)
    found: Counter[str] = Counter()
    async for part in changes.stream(connection, wanted, lambda part: _count(part, gains)):
        found += part
    # in the order in which the fields are declared
    ordered = [*_KINDS, *dict.fromkeys(gains.values())]
    return Counter({word: found[word] for word in ordered if found[word]})


def _count(part: list[Listed], gains: Mapping[str, str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for _, change in part:
        found[change.kind] += 1
        found.update({gains[each.field] for each in change.fields if _is_gain(each, gains)})
    return found


def _is_gain(each: FieldDifference, gains: Mapping[str, str]) -> bool:
    """Tell whether a field has more than before: a greater number, or another element."""
    if each.field not in gains:
        return False
    # an answer that was absent had nothing
    before = 0 if each.from_ is msgspec.UNSET else each.from_
    numbers = isinstance(each.to, int | float) and isinstance(before, int | float)
    return each.change == "added" or (numbers and each.to > before)
