"""Selects the answers that were valid at a moment, from the annotations and their history."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Subquery,
    Text,
    bindparam,
    case,
    cast,
    func,
    null,
    select,
    type_coerce,
    union_all,
)

from app.annotation.data.moments import Moment
from app.db.tables import annotation_history, annotations, origins


def answers_at(moment: Moment, name: str = "answers") -> Subquery:
    """Return a subquery of the answers that were valid at a moment, one for each gene and source.

    Its columns are ``gene_id``, ``source``, ``state``, ``data``, ``release``, ``valid_from``,
    ``fetched_at``, ``run_id`` (the run that fetched the answer), ``origin_id``, ``checked_state``,
    ``checked_at`` and ``reason``. For a time in the past, ``release``, ``fetched_at`` and
    ``origin_id`` are those of the last origin that had given the answer by then. The columns of the
    check are null, because only the last check is stored.

    Args:
        moment: the point in time.
        name: the name of the subquery.
    """
    if moment.at is None:
        return _present().subquery(name)
    at = bindparam(None, moment.at, type_=DateTime(timezone=True))
    versions = union_all(_past(annotations, at), _past(annotation_history, at)).subquery()
    return (
        select(
            versions.c.gene_id,
            versions.c.source,
            versions.c.state,
            versions.c.data,
            case(
                (versions.c.origin_id.is_(None), versions.c.release), else_=origins.c.release
            ).label("release"),
            versions.c.valid_from,
            versions.c.fetched_at,
            versions.c.run_id,
            versions.c.origin_id,
            cast(null(), Text).label("checked_state"),
            cast(null(), DateTime(timezone=True)).label("checked_at"),
            cast(null(), Text).label("reason"),
        )
        .select_from(versions.outerjoin(origins, origins.c.id == versions.c.origin_id))
        .subquery(name)
    )


def _present() -> Select[Any]:
    return select(
        annotations.c.gene_id,
        annotations.c.source,
        annotations.c.state,
        annotations.c.data,
        annotations.c.release,
        annotations.c.valid_from,
        annotations.c.fetched_at,
        annotations.c.fetched_run_id.label("run_id"),
        annotations.c.origin_id,
        annotations.c.checked_state,
        annotations.c.checked_at,
        annotations.c.reason,
    )


def _past(table: Any, at: ColumnElement[datetime]) -> Select[Any]:
    # the position of the last origin until then; 0 if there is none
    place = func.width_bucket(at, table.c.origin_since)
    since = table.c.origin_since[place]
    found = select(
        table.c.gene_id,
        table.c.source,
        table.c.state,
        table.c.data,
        table.c.release,
        table.c.valid_from,
        case((table.c.state != "unknown", func.coalesce(since, table.c.valid_from))).label(
            "fetched_at"
        ),
        # the runs of later origins are not stored
        case((place <= 1, table.c.changed_run_id)).label("run_id"),
        type_coerce(table.c.origin_ids[place], BigInteger).label("origin_id"),
    ).where(table.c.valid_from <= at)
    return found.where(table.c.valid_to > at) if "valid_to" in table.c else found
