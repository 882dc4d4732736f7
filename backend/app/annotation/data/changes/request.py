"""Parses requests for changes, and rejects those that cannot be answered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.fields import Field, all_fields
from app.annotation.data.lists import list_members
from app.annotation.data.moments import (
    ALLOWED,
    NOW,
    Moment,
    parse_start,
    parse_time,
    require_history,
    snapshot_time,
)
from app.annotation.data.one_gene import no_such_gene
from app.annotation.data.selection import unknown_name
from app.annotation.genes.resolve import resolve
from app.annotation.sources.names import MAX_NAME
from app.core.errors import NotFound, UserError, WrongUse
from app.core.runs.views import require_run
from app.core.text.nearest import did_you_mean
from app.db.bounds import MAX_ID

ORDERS = ("gene", "source")
"""The sort orders: by gene and then source, or by source and then gene. Genes are sorted by their
import, and sources by name."""

DEFAULT_PERIOD = timedelta(days=7)
"""The default period, up to now."""

_NO_NAME = re.compile(r"[^a-z]", re.IGNORECASE)
"""A text that begins like this is a time, because a snapshot's name begins with a letter."""

_KEY = re.compile(r"(\d{1,18}):([^:]*):(\d{1,18})")

_CLOCK = text("SELECT now()")

_RUN_CREATED = text("SELECT created_at FROM runs WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """A request for changes, as typed.

    Attributes:
        since: a time, or a day, which means its start in UTC.
        from_: a time, a day, which means its end in UTC, or the name of a snapshot.
        to: like ``from_``.
        run: the id of a run.
        source: only changes of this source.
        gene: only changes of the gene with this name.
        list: only changes of genes on the list with this name.
        moving: whether changes of moving fields are included.
        order: one of :data:`ORDERS`.
        after: the key of the last change of the previous page.
    """

    since: str | None = None
    from_: str | None = None
    to: str | None = None
    run: int | None = None
    source: str | None = None
    gene: str | None = None
    list: str | None = None
    moving: bool = False
    order: str = ORDERS[0]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """The sort key of a change.

    Attributes:
        gene_id: the gene.
        source: the source; empty for events of the gene itself, which come first.
        event_id: the id of the event of the gene.
    """

    gene_id: int
    source: str
    event_id: int

    def __str__(self) -> str:
        """Return the key in the form of the parameter `after`."""
        return f"{self.gene_id}:{self.source}:{self.event_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSelection:
    """A parsed request for changes.

    Attributes:
        fields: the fields of all sources.
        now: PostgreSQL's time.
        start: the start of the period; None for the changes of a run.
        to: the end of the period.
        run: the run whose changes are listed; None for the changes between two times.
        run_created: when the run was created.
        source: see :class:`ChangeRequest`.
        gene_id: the gene.
        list_id: the list of genes.
        moving: see :class:`ChangeRequest`.
        order: see :class:`ChangeRequest`.
        after: see :class:`ChangeRequest`.
        until: the largest gene id; None means all genes.
    """

    fields: Mapping[str, Mapping[str, Field]]
    now: datetime
    start: datetime | None = None
    to: Moment = NOW
    run: int | None = None
    run_created: datetime | None = None
    source: str | None = None
    gene_id: int | None = None
    list_id: int | None = None
    moving: bool = False
    order: str = ORDERS[0]
    after: Key | None = None
    until: int | None = None

    @property
    def period(self) -> str:
        """The period or run, for people."""
        if self.start is None:
            return f"by run {self.run}"
        return f"between {_time_text(self.start)} and {_time_text(self.to.at or self.now)}"


async def parse_request(connection: AsyncConnection, request: ChangeRequest) -> ChangeSelection:
    """Parse a request for changes.

    Args:
        connection: the database connection.
        request: the request as typed.

    Raises:
        WrongUse: the request cannot be answered. The message says what is allowed.
    """
    now: datetime = (await connection.execute(_CLOCK)).scalar_one()
    fields = await all_fields(connection)
    if request.source is not None and request.source not in fields:
        found = f"there is no source {request.source[:80]!r}{did_you_mean(request.source, fields)}"
        raise WrongUse(found, allowed=", ".join(fields))
    if request.order not in ORDERS:
        raise unknown_name("order", request.order, ORDERS)
    start, to, run_created = await _period(connection, request, now)
    return ChangeSelection(
        fields=fields,
        now=now,
        start=start,
        to=to,
        run=request.run,
        run_created=run_created,
        source=request.source,
        gene_id=None if request.gene is None else await _gene(connection, request.gene),
        list_id=None if request.list is None else await _list(connection, request.list),
        moving=request.moving,
        # the changes of one source are always sorted by gene
        order=request.order if request.source is None else "gene",
        after=None if request.after is None else _key(request.after),
    )


async def _period(
    connection: AsyncConnection, request: ChangeRequest, now: datetime
) -> tuple[datetime | None, Moment, datetime | None]:
    given = {"since": request.since, "from": request.from_, "run": request.run}
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise WrongUse(
            f"{' and '.join(names)} exclude each other", allowed="one of since, from and run"
        )
    if request.to is not None and request.from_ is None:
        raise WrongUse(
            "to is given without from",
            allowed="from and to, or from alone to list changes until now",
        )
    if request.run is not None:
        created = await _run_created(connection, request.run)
        await require_history(connection, created)
        return None, NOW, created
    if request.from_ is None:
        return await _since(connection, request.since, now), NOW, None
    start = await _moment(connection, "from", request.from_, now)
    to = NOW
    if request.to is not None and request.to != "now":
        to = await _moment(connection, "to", request.to, now)
    assert start.at is not None
    if to.at is not None and start.at > to.at:
        raise WrongUse(
            f"from is later than to: {_time_text(start.at)} and {_time_text(to.at)}",
            allowed="from before to",
        )
    return start.at, to, None


async def _since(connection: AsyncConnection, value: str | None, now: datetime) -> datetime:
    # the changes on the given day are included
    at = now - DEFAULT_PERIOD if value is None else parse_start("since", value, now)
    await require_history(connection, at)
    return at


async def _moment(connection: AsyncConnection, what: str, value: str, now: datetime) -> Moment:
    if value == "now":
        return Moment(now)
    if not value or _NO_NAME.match(value):
        at = parse_time(what, value, now)
        await require_history(connection, at)
        return Moment(at)
    try:
        return Moment(await snapshot_time(connection, value), value)
    except NotFound as error:
        allowed = f"{ALLOWED}, or the name of a snapshot: {error.allowed}"
        raise WrongUse(f"{what}: {error.found}", allowed=allowed) from None


async def _run_created(connection: AsyncConnection, run_id: int) -> datetime:
    try:
        await require_run(connection, run_id)
    except NotFound as error:
        raise _wrong_use(error) from None
    created: datetime = (await connection.execute(_RUN_CREATED, {"id": run_id})).scalar_one()
    return created


async def _gene(connection: AsyncConnection, name: str) -> int:
    (found,) = await resolve(connection, [name])
    if found.gene is not None and found.gene.id is not None:
        return found.gene.id
    shown = repr(name[:MAX_NAME])
    if found.candidates:
        genes = ", ".join(
            f"{candidate.symbol} ({candidate.hgnc_id})" for candidate in found.candidates
        )
        raise WrongUse(
            f"gene {shown} may mean several genes: {genes}", allowed="a name that only one gene has"
        )
    if found.gene is not None:
        raise WrongUse(
            f"gene {shown} is {found.gene.symbol} ({found.gene.hgnc_id}), which is not in this"
            " database",
            allowed="a name of an imported gene",
        )
    none = await no_such_gene(connection, name)
    raise WrongUse(none.found, allowed=none.allowed)


async def _list(connection: AsyncConnection, name: str) -> int:
    try:
        return await list_members(connection, name)
    except NotFound as error:
        raise _wrong_use(error) from None


def _key(after: str) -> Key:
    found = _KEY.fullmatch(after)
    if found is None or "\0" in after:
        raise WrongUse(f"after {after[:80]!r}", allowed="next_after of the previous page")
    gene_id, source, event_id = found.groups()
    return Key(min(int(gene_id), MAX_ID), source, min(int(event_id), MAX_ID))


def _wrong_use(error: UserError) -> WrongUse:
    """Return the error of a lookup as a wrong use of the parameter."""
    return WrongUse(error.found, allowed=error.allowed, remedy=error.remedy, steps=error.steps)


def _time_text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
