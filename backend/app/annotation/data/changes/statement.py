"""Selects changes with both versions of each answer, by gene and source."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    true,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from app.annotation.data.changes.request import ChangeSelection
from app.annotation.data.genes import genes_at
from app.annotation.data.lists import in_list
from app.db.tables import (
    annotation_history,
    annotations,
    gene_events,
    genes,
    origins,
)

_CLOCK_MAY_BE_WRONG = timedelta(days=1)
"""The maximum by which PostgreSQL's clock may have been set back during a run."""

_SUCCESSOR = "imported as a successor"


def changes_of(selection: ChangeSelection, limit: int | None = None) -> Select[Any]:
    """Return the statement that selects the changes, in the order of their keys.

    Each row has the former and the new version of an answer. They are equal if the answer changed
    and changed back. Genes that were not in the database at the later time have no names.

    Args:
        selection: the parsed request.
        limit: the maximum number of rows; None means all.
    """
    new = _new(selection, limit)
    former = _former(selection, new)
    named = genes_at(selection.to, "named")
    return (
        select(
            new.c.gene_id,
            named.c.hgnc_id,
            named.c.symbol,
            new.c.source,
            new.c.event_id,
            new.c.at,
            new.c.run_id,
            new.c.state,
            # the data of a first answer have nothing to compare with
            case((former.c.gene_id.is_not(None), cast(new.c.data, Text))).label("data"),
            func.coalesce(origins.c.release, new.c.release).label("release"),
            new.c.event,
            cast(new.c.detail, Text).label("detail"),
            former.c.state.label("former_state"),
            cast(former.c.data, Text).label("former_data"),
            former.c.release.label("former_release"),
            # set only if the last change was a rollback
            case((former.c.valid_to == new.c.at, former.c.rollback_id)).label("rollback_id"),
        )
        .select_from(
            new.outerjoin(named, named.c.id == new.c.gene_id)
            .outerjoin(former, _is_former(selection, former, new))
            .outerjoin(origins, origins.c.id == new.c.origin_id)
        )
        .order_by(*_key(new, selection))
    )


def _key(selected: FromClause, selection: ChangeSelection) -> list[ColumnElement[Any]]:
    columns: list[ColumnElement[Any]] = [selected.c.gene_id, selected.c.source, selected.c.event_id]
    return columns if selection.order == "gene" else [columns[1], columns[0], columns[2]]


def _new(selection: ChangeSelection, limit: int | None) -> Subquery:
    """Select the later versions and the events of genes, sorted, without their data.

    PostgreSQL sorts them before it reads the former versions, so that the first rows arrive
    quickly.
    """
    parts = _parts(selection)
    if limit is not None:
        # each part is limited separately, so that PostgreSQL can read it in order from an index
        parts = [_first(part, selection, limit) for part in parts]
    found = union_all(*parts).subquery()
    selected = select(found).order_by(*_key(found, selection))
    if limit is not None:
        selected = selected.limit(limit)
    elif selection.after is not None:
        selected = selected.where(_is_after(found, selection))
    return selected.subquery("new")


def number_of_rows(selection: ChangeSelection, limit: int) -> Select[Any]:
    """Return the statement that counts the rows of :func:`changes_of`, up to a maximum."""
    rows = union_all(*_parts(selection)).subquery()
    some = select(rows.c.gene_id).limit(limit).subquery()
    return select(func.count()).select_from(some)


def _parts(selection: ChangeSelection) -> list[Select[Any]]:
    parts = [_present(selection)]
    if selection.to.at is not None or selection.run is not None:
        parts.append(_past(selection))
    if selection.source is None:
        parts.append(_events(selection))
        if selection.run is None:
            parts.append(_imports(selection))
    return parts


def _first(part: Select[Any], selection: ChangeSelection, limit: int) -> Select[Any]:
    rows = part.subquery()
    selected = select(rows).order_by(*_key(rows, selection)).limit(limit)
    if selection.after is not None:
        selected = selected.where(_is_after(rows, selection))
    return select(selected.subquery())


def _is_after(rows: FromClause, selection: ChangeSelection) -> ColumnElement[bool]:
    after = selection.after
    assert after is not None
    values: list[ColumnElement[Any]] = [
        literal(after.gene_id, BigInteger),
        literal(after.source, Text),
        literal(after.event_id, BigInteger),
    ]
    if selection.order == "source":
        values[:2] = values[1::-1]
    return tuple_(*_key(rows, selection)) > tuple_(*values)


def _present(selection: ChangeSelection) -> Select[Any]:
    selected = _versions(annotations)
    if selection.run is not None:
        return _limited(
            selected.where(
                annotations.c.changed_run_id == selection.run,
                # uses the index on valid_from
                annotations.c.valid_from >= _run_started(selection),
            ),
            annotations,
            selection,
        )
    selected = selected.where(annotations.c.valid_from > _time(selection.start))
    if selection.to.at is not None:
        selected = selected.where(annotations.c.valid_from <= _time(selection.to.at))
    return _limited(selected, annotations, selection)


def _past(selection: ChangeSelection) -> Select[Any]:
    history = annotation_history
    selected = _limited(_versions(history), history, selection)
    if selection.run is None:
        return selected.where(
            history.c.valid_from > _time(selection.start),
            history.c.valid_from <= _time(selection.to.at),
            history.c.valid_to > _time(selection.to.at),
        )
    later = exists().where(
        annotations.c.gene_id == history.c.gene_id,
        annotations.c.source == history.c.source,
        annotations.c.changed_run_id == selection.run,
    )
    last = (
        selected.where(
            history.c.changed_run_id == selection.run,
            history.c.valid_to > _run_started(selection),
            ~later,
        )
        .ext(distinct_on(history.c.gene_id, history.c.source))
        .order_by(history.c.gene_id, history.c.source, history.c.valid_from.desc())
        .subquery()
    )
    return select(last)


def _versions(table: FromClause) -> Select[Any]:
    return select(
        table.c.gene_id,
        table.c.source,
        literal(0, BigInteger).label("event_id"),
        table.c.valid_from.label("at"),
        table.c.changed_run_id.label("run_id"),
        table.c.state,
        table.c.data,
        table.c.release,
        type_coerce(table.c.origin_ids[1], BigInteger).label("origin_id"),
        cast(null(), Text).label("event"),
        cast(null(), JSONB).label("detail"),
    )


def _events(selection: ChangeSelection) -> Select[Any]:
    selected = _happened(
        gene_id=gene_events.c.gene_id,
        event_id=gene_events.c.id,
        at=gene_events.c.at,
        run_id=gene_events.c.run_id,
        event=gene_events.c.event,
        detail=gene_events.c.detail,
    )
    if selection.run is not None:
        selected = selected.where(gene_events.c.run_id == selection.run)
    else:
        selected = _within(selected, gene_events.c.at, selection)
    return _limited(selected, gene_events, selection)


def _imports(selection: ChangeSelection) -> Select[Any]:
    selected = _happened(
        gene_id=genes.c.id,
        event_id=literal(0, BigInteger),
        at=genes.c.created_at,
        run_id=cast(null(), BigInteger),
        event=literal("imported", Text),
        detail=cast(literal("{}", Text), JSONB),
    )
    noted = exists().where(gene_events.c.gene_id == genes.c.id, gene_events.c.event == _SUCCESSOR)
    return _limited(
        _within(selected.where(~noted), genes.c.created_at, selection), genes, selection
    )


def _happened(
    *,
    gene_id: ColumnElement[int],
    event_id: ColumnElement[int],
    at: ColumnElement[datetime],
    run_id: ColumnElement[Any],
    event: ColumnElement[str],
    detail: ColumnElement[Any],
) -> Select[Any]:
    return select(
        gene_id.label("gene_id"),
        literal("", Text).label("source"),
        event_id.label("event_id"),
        at.label("at"),
        run_id.label("run_id"),
        cast(null(), Text).label("state"),
        cast(null(), JSONB).label("data"),
        cast(null(), Text).label("release"),
        cast(null(), BigInteger).label("origin_id"),
        event.label("event"),
        detail.label("detail"),
    )


def _within(
    selected: Select[Any], at: ColumnElement[datetime], selection: ChangeSelection
) -> Select[Any]:
    selected = selected.where(at > _time(selection.start))
    return selected if selection.to.at is None else selected.where(at <= _time(selection.to.at))


def _limited(selected: Select[Any], table: FromClause, selection: ChangeSelection) -> Select[Any]:
    """Limit a selection to the source, the gene and the list."""
    gene_id = table.c.id if table is genes else table.c.gene_id
    if selection.source is not None:
        selected = selected.where(table.c.source == selection.source)
    if selection.gene_id is not None:
        selected = selected.where(gene_id == selection.gene_id)
    if selection.after is not None and selection.order == "gene":
        selected = selected.where(gene_id >= selection.after.gene_id)
    if selection.until is not None:
        selected = selected.where(gene_id <= selection.until)
    if selection.list_id is not None:
        selected = selected.where(in_list(selection.list_id, gene_id))
    return selected


def _former(selection: ChangeSelection, new: Subquery) -> FromClause:
    history = annotation_history
    selected = select(
        history.c.gene_id,
        history.c.source,
        history.c.state,
        history.c.data,
        history.c.release,
        history.c.valid_from,
        history.c.valid_to,
        history.c.rollback_id,
    )
    if selection.run is None:
        return selected.subquery("former")
    # the first one, if the run changed the answer several times
    same = (history.c.gene_id == new.c.gene_id, history.c.source == new.c.source)
    of_run = selected.where(*same, history.c.run_id == selection.run)
    return of_run.order_by(history.c.valid_from).limit(1).lateral("former")


def _is_former(
    selection: ChangeSelection, former: FromClause, new: Subquery
) -> ColumnElement[bool]:
    if selection.run is not None:
        return true()
    start = _time(selection.start)
    return and_(
        former.c.gene_id == new.c.gene_id,
        former.c.source == new.c.source,
        former.c.valid_from <= start,
        former.c.valid_to > start,
    )


def _time(at: datetime | None) -> ColumnElement[datetime]:
    assert at is not None
    return bindparam(None, at, type_=DateTime(timezone=True))


def _run_started(selection: ChangeSelection) -> ColumnElement[datetime]:
    assert selection.run_created is not None
    return _time(selection.run_created - _CLOCK_MAY_BE_WRONG)
