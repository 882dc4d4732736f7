"""Reads the versions of a gene's answers."""

import functools
from datetime import datetime
from typing import Any

from msgspec import UNSET, Raw
from msgspec.json import decode
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    Row,
    Select,
    Subquery,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.cuts import cut
from app.annotation.data.reading import json_text, of_sources
from app.annotation.data.selection import Selection
from app.annotation.data.shapes import Version, raw
from app.core.errors import WrongUse
from app.db.tables import annotation_history, annotations, origins


async def gene_history(
    connection: AsyncConnection,
    gene_id: int,
    selection: Selection,
    *,
    data: bool = True,
    after: str | None = None,
    limit: int,
) -> tuple[list[Version], str | None]:
    """Return the versions of a gene's answers, by source, the newest first.

    Args:
        connection: the database connection.
        gene_id: the id of the gene.
        selection: the sources, the fields of the data, and the moment. With a moment, only versions
            that existed at it are returned.
        data: whether the versions include their data.
        after: the key of the last version of the previous page.
        limit: the maximum number of versions.

    Returns:
        The versions, and ``after`` of the next page; None if there is no next page.

    Raises:
        WrongUse: ``after`` is not a key of a page.
    """
    versions = union_all(
        _versions(annotations, gene_id, selection),
        _versions(annotation_history, gene_id, selection),
    ).subquery("versions")
    page = select(versions).order_by(versions.c.source, versions.c.valid_from.desc()).limit(limit)
    if after is not None:
        source, at = _key(after)
        older = (versions.c.source == source) & (versions.c.valid_from < at)
        page = page.where(or_(versions.c.source > source, older))
    rows = (
        await connection.execute(_columns(page.subquery("page"), selection, data=literal(data)))
    ).all()
    found = [_version(row, data=data) for row in rows]
    return found, key_of(found[-1]) if len(found) == limit else None


async def latest_versions(
    connection: AsyncConnection, gene_id: int, selection: Selection, *, each: int
) -> dict[str, tuple[int, list[Version]]]:
    """Return the latest versions of a gene's answers by source, the newest first.

    Args:
        connection: the database connection.
        gene_id: the id of the gene.
        selection: see :func:`gene_history`.
        each: the maximum number of versions for each source.

    Returns:
        For each source, the total number of versions and the latest ones with their data. A single
        version has no data, because there is no other one to compare it with.
    """
    found: dict[str, tuple[int, list[Version]]] = {}
    for row in await connection.execute(_latest(selection, each), {"gene_id": gene_id}):
        found.setdefault(row.source, (row.number, []))[1].append(_version(row, data=True))
    return found


# composing the statement takes longer than executing it
@functools.lru_cache(maxsize=256)
def _latest(selection: Selection, each: int) -> Select[Any]:
    gene_id = bindparam("gene_id", type_=BigInteger)
    versions = union_all(
        _versions(annotations, gene_id, selection),
        _versions(annotation_history, gene_id, selection),
    ).subquery("versions")
    of_source = versions.c.source
    place = func.row_number().over(partition_by=of_source, order_by=versions.c.valid_from.desc())
    number = func.count().over(partition_by=of_source)
    ranked = select(versions, place.label("place"), number.label("number")).subquery("ranked")
    page = select(ranked).where(ranked.c.place <= each).subquery("page")
    return _columns(page, selection, data=page.c.number > 1).add_columns(page.c.number)


def key_of(version: Version) -> str:
    """Return the key to request the page after this version."""
    return f"{version.source}@{decode(version.valid_from, type=datetime).isoformat()}"


def _version(row: Row[Any], *, data: bool) -> Version:
    return Version(
        source=row.source,
        state=row.state,
        release=row.release,
        releases=Raw(row.releases),
        valid_from=Raw(row.since),
        valid_to=raw(row.until),
        run_id=row.changed_run_id,
        replaced_by_run_id=row.run_id,
        replaced_by_rollback_id=row.rollback_id,
        data=raw(row.data) if data else UNSET,
    )


def _key(after: str) -> tuple[str, datetime]:
    source, _, since = after.rpartition("@")
    try:
        at = datetime.fromisoformat(since.replace(" ", "+"))
    except ValueError:
        at = None
    if not source or "\0" in source or at is None or at.tzinfo is None:
        raise WrongUse(f"after={after[:80]!r}", allowed="next_after of the previous page")
    return source, at


def _versions(table: Any, gene_id: int | BindParameter[int], selection: Selection) -> Select[Any]:
    is_former = table is annotation_history
    found = select(
        table.c.source,
        table.c.state,
        table.c.data,
        table.c.release,
        table.c.valid_from,
        table.c.valid_to if is_former else cast(null(), DateTime(timezone=True)).label("valid_to"),
        table.c.changed_run_id,
        table.c.run_id if is_former else cast(null(), BigInteger).label("run_id"),
        table.c.rollback_id if is_former else cast(null(), BigInteger).label("rollback_id"),
        table.c.origin_ids,
        table.c.origin_since,
    ).where(table.c.gene_id == gene_id, *of_sources(table.c.source, selection))
    if selection.moment.at is not None:
        found = found.where(table.c.valid_from <= selection.moment.at)
    return found


def _columns(page: Subquery, selection: Selection, *, data: ColumnElement[bool]) -> Select[Any]:
    return select(
        page.c.source,
        page.c.state,
        page.c.release,
        _releases(page).label("releases"),
        json_text(page.c.valid_from).label("since"),
        json_text(page.c.valid_to).label("until"),
        page.c.changed_run_id,
        page.c.run_id,
        page.c.rollback_id,
        cast(case((data, cut(page.c.data, page.c.source, selection.fields))), Text).label("data"),
        page.c.valid_from,
    ).order_by(page.c.source, page.c.valid_from.desc())


def _releases(page: Subquery) -> ColumnElement[str]:
    """Return the releases that gave a version as JSON, the first one first."""
    given = func.unnest(page.c.origin_ids, page.c.origin_since)
    of = given.table_valued("id", "since", name="of").render_derived()
    each = func.json_build_object("release", origins.c.release, "since", of.c.since)
    releases = select(func.json_agg(aggregate_order_by(each, of.c.since))).select_from(
        of.join(origins, origins.c.id == of.c.id)
    )
    return cast(func.coalesce(releases.scalar_subquery(), func.json_build_array()), Text)
