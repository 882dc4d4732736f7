"""Reads changes as a stream, from one consistent state of the database."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.data.changes.request import ChangeSelection, Key
from app.annotation.data.changes.statement import changes_of
from app.annotation.data.changes.views import Change, FieldDifference
from app.annotation.data.diff import FieldChange, Shape, diff
from app.annotation.data.fields import Field
from app.annotation.data.wording import Words, describe_answer, describe_event

T = TypeVar("T")

FIRST_ROWS, MAX_ROWS = 20, 200
"""The number of rows compared at a time: few at first, so that the first changes arrive quickly. An
answer has at most 100,000 bytes, and usually 1,000."""

_SPARE_ROWS = 20
"""Extra rows read for a page, because some rows may turn out not to be changes."""

_NEXT_GENES = 4
"""The number of genes searched first for each change of a page."""

# the reader may pause, for example in a pager
_ALLOW_PAUSES = text("SET LOCAL idle_in_transaction_session_timeout = '1h'")


class Listed(NamedTuple):
    """A change with its sort key."""

    key: Key
    change: Change


@asynccontextmanager
async def reading(db: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a read-only transaction that sees one consistent state of the database."""
    async with db.connect() as connection:
        await connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        await connection.execute(_ALLOW_PAUSES)
        yield connection


async def stream(
    connection: AsyncConnection,
    selection: ChangeSelection,
    then: Callable[[list[Listed]], T],
    *,
    in_words: bool = True,
) -> AsyncGenerator[T, None]:
    """Yield the changes in batches, in the order of their keys.

    A thread compares the answers, so that the event loop stays free. Memory does not grow with the
    number of changes.

    Args:
        connection: the connection of :func:`reading`. It is in use until the generator ends.
        selection: the parsed request.
        then: the function that converts each batch. The thread calls it.
        in_words: whether the changes are described in words, which takes as long as the comparison.
    """
    compare = Comparison(selection, in_words=in_words)
    result = await connection.stream(
        changes_of(selection), execution_options={"max_row_buffer": MAX_ROWS}
    )
    try:
        size = FIRST_ROWS
        while rows := await result.fetchmany(size):
            yield await asyncio.to_thread(_then, then, compare, rows)
            size = MAX_ROWS
    finally:
        await result.close()


def _then(
    then: Callable[[list[Listed]], T],
    compare: "Comparison",
    rows: Sequence[Row[Any]],
) -> T:
    return then([listed for row in rows if (listed := compare.row(row)) is not None])


async def page(
    connection: AsyncConnection, selection: ChangeSelection, limit: int
) -> tuple[list[Change], Key | None]:
    """Return at most ``limit`` changes, and the key of the last one if there are more."""
    listed: list[Listed] = []
    compare = Comparison(selection)
    row_limit = limit + _SPARE_ROWS
    if selection.order == "gene" and selection.gene_id is None:
        # if much changed, the next genes fill the page, and PostgreSQL need not find all changes
        begin = selection.after.gene_id if selection.after else 0
        selection = replace(selection, until=begin + _NEXT_GENES * limit)
    while len(listed) <= limit:
        rows = (await connection.execute(changes_of(selection, row_limit))).all()
        listed += await asyncio.to_thread(_then, _as_it_is, compare, rows)
        if len(rows) == row_limit:
            selection = replace(selection, after=_key(rows[-1]))
        elif selection.until is not None:
            selection = replace(selection, after=Key(selection.until + 1, "", -1), until=None)
        else:
            break
    more = len(listed) > limit
    return [each.change for each in listed[:limit]], listed[limit - 1].key if more else None


def _as_it_is(part: list[Listed]) -> list[Listed]:
    return part


def _key(row: Row[Any]) -> Key:
    return Key(row.gene_id, row.source, row.event_id)


class Comparison:
    """Compares the two versions in a row of :func:`changes_of`."""

    def __init__(self, selection: ChangeSelection, *, in_words: bool = True) -> None:
        self._in_words = in_words
        self._fields = selection.fields
        self._moving = selection.moving
        self._sources: dict[str, _Source] = {}

    def row(self, row: Row[Any]) -> Listed | None:
        """Return the change; None if nothing differs, or nothing but fields that move."""
        if row.hgnc_id is None:
            return None
        change = self._event(row) if row.event is not None else self._answer(row)
        return None if change is None else Listed(_key(row), change)

    def _event(self, row: Row[Any]) -> Change:
        detail: dict[str, Any] = msgspec.json.decode(row.detail)
        return _change(
            row,
            source=None,
            kind="gene",
            event=row.event,
            detail=detail,
            text=f"{row.symbol} gene: {describe_event(row.event, detail)}",
        )

    def _answer(self, row: Row[Any]) -> Change | None:
        name = f"{row.symbol} {row.source}"
        if row.former_state is None:
            return _change(
                row,
                source=row.source,
                kind="first answer",
                text=f"{name}: first answer, {row.state}",
            )
        if row.source not in self._sources:
            self._sources[row.source] = _Source(row.source, self._fields.get(row.source, {}))
        source = self._sources[row.source]
        changes = diff(source.shape, _decoded(row.former_data), _decoded(row.data))
        if not self._moving:
            changes = [change for change in changes if not change.moves]
        if not changes and row.state == row.former_state:
            return None
        text = ""
        if self._in_words:
            text = describe_answer(
                source.words,
                changes,
                former_state=row.former_state,
                state=row.state,
                rollback_id=row.rollback_id,
            )
        return _change(
            row,
            source=row.source,
            kind="changed",
            fields=[source.difference(change) for change in changes],
            text=f"{name}: {text}",
        )


class _Source:
    def __init__(self, name: str, fields: Mapping[str, Field]) -> None:
        self._name = name
        self.shape = Shape.of(fields.values())
        self.words = Words(fields.values())

    def difference(self, change: FieldChange) -> FieldDifference:
        return FieldDifference(
            field=".".join((self._name, *change.path)),
            change=change.change,
            element=msgspec.UNSET if change.element is None else change.element,
            part=".".join(change.part) if change.part else msgspec.UNSET,
            from_=change.old,
            to=change.new,
        )


def _change(
    row: Row[Any],
    *,
    source: str | None,
    kind: str,
    text: str,
    event: str | None = None,
    detail: dict[str, Any] | None = None,
    fields: list[FieldDifference] | None = None,
) -> Change:
    return Change(
        hgnc_id=row.hgnc_id,
        symbol=row.symbol,
        source=source,
        kind=kind,
        at=row.at,
        run_id=row.run_id,
        rollback_id=row.rollback_id,
        state_before=row.former_state,
        state=row.state,
        release_before=row.former_release,
        release=row.release,
        event=event,
        detail=detail,
        fields=fields or [],
        text=text,
    )


def _decoded(data: str | None) -> dict[str, Any] | None:
    if data is None:
        return None
    found: dict[str, Any] = msgspec.json.decode(data)
    return found
