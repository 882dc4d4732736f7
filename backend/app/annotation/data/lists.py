"""Manages named lists of genes, which limit reads, exports and runs."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.snapshots import MAX_NOTE, MAX_WHO, check_text
from app.annotation.genes.listed import Listed
from app.annotation.genes.resolve import ANY_NAME, NamedGene
from app.core.errors import NotFound, WrongUse
from app.core.text.field_docs import View
from app.core.text.nearest import did_you_mean
from app.db.tables import gene_list_genes, gene_lists, genes, merged_ids

NAME = re.compile(r"[a-z][a-z0-9_-]{0,29}", re.ASCII)

ALLOWED_NAME = "at most 30 lower-case letters, digits, `-` and `_`, with a letter first"


class ListName(View):
    """The name of a list of genes."""

    name: str
    note: str | None
    """What the list is for."""


class GeneListSummary(ListName):
    """A list of genes, without its genes."""

    file_name: str | None
    """The file that the list was read from."""
    by: str
    """Who added the list or changed it last."""
    created_at: datetime
    updated_at: datetime
    """When the genes, the note or the file last changed."""
    genes: int
    """The number of genes."""
    in_database: int
    """The number of those genes that are in the database."""


class GeneList(GeneListSummary):
    """A list of genes."""

    members: list[NamedGene]
    """The genes, in the order of their symbols."""


class ListRemark(View):
    """A problem or note about a row of a list."""

    line: int
    """The line of the file, or the place in the request, counted from 1."""
    found: str
    """The names in the row."""
    kind: str
    """The kind of problem or note, in a word or two."""
    detail: str
    """The explanation."""


class ListChange(View):
    """The result of adding or replacing a list."""

    name: str
    created: bool
    """Whether the list is new."""
    changed: bool
    """Whether the list or its note changed."""
    genes: int
    """The number of genes on the list now."""
    added: int
    """The number of added genes."""
    removed: int
    """The number of removed genes."""
    duplicates: int
    """The number of rows that name the same gene as an earlier row."""
    not_in_database: list[NamedGene]
    """Approved genes of the list that are not in the database. The list includes them once they are
    imported."""
    problems: list[ListRemark]
    """The rows that name no gene or may name several. They are ignored."""
    notes: list[ListRemark]
    """The rows whose gene was found by an old name, or despite a contradiction."""


_SUMMARIES = (
    select(
        gene_lists.c.name,
        gene_lists.c.note,
        gene_lists.c.file_name,
        gene_lists.c.by,
        gene_lists.c.created_at,
        gene_lists.c.updated_at,
        func.count(gene_list_genes.c.hgnc_id).label("genes"),
        func.count(genes.c.id).label("in_database"),
    )
    .select_from(
        gene_lists.outerjoin(
            gene_list_genes, gene_list_genes.c.list_id == gene_lists.c.id
        ).outerjoin(genes, genes.c.hgnc_id == gene_list_genes.c.hgnc_id)
    )
    .group_by(gene_lists.c.id)
    .order_by(gene_lists.c.name)
)

# the gene itself, and the genes that were merged into it
_LISTS_WITH = text(
    """
    SELECT l.name, l.note FROM gene_lists l WHERE l.id IN (
      SELECT m.list_id FROM gene_list_genes m WHERE m.hgnc_id IN (
        SELECT hgnc_id FROM genes WHERE id = :gene_id OR successor_id = :gene_id
        UNION ALL
        SELECT i.hgnc_id FROM merged_ids i JOIN genes g ON g.hgnc_id = i.successor
        WHERE g.id = :gene_id))
    ORDER BY l.name
    """
)

_ID = text("SELECT id FROM gene_lists WHERE name = :name")

_NAMES = text("SELECT name FROM gene_lists ORDER BY name LIMIT 1000")

_MEMBERS = text(
    """
    SELECT m.hgnc_id, coalesce(g.symbol, n.name, m.hgnc_id) AS symbol, g.id, g.withdrawn_at
    FROM gene_list_genes m LEFT JOIN genes g ON g.hgnc_id = m.hgnc_id
    LEFT JOIN gene_names n ON n.hgnc_id = m.hgnc_id AND n.kind = 'symbol'
    WHERE m.list_id = :list_id ORDER BY 2, 1
    """
)

_CREATE = text(
    """
    INSERT INTO gene_lists (name, note, file_name, by) VALUES (:name, :note, :file_name, :by)
    ON CONFLICT (name) DO NOTHING RETURNING id
    """
)

_LOCK = text("SELECT id, note FROM gene_lists WHERE name = :name FOR UPDATE")

_REMOVE_GENES = text(
    "DELETE FROM gene_list_genes WHERE list_id = :list_id AND hgnc_id <> ALL(:hgnc_ids)"
)

_ADD_GENES = text(
    """
    INSERT INTO gene_list_genes (list_id, hgnc_id)
    SELECT :list_id, unnest(CAST(:hgnc_ids AS text[])) ON CONFLICT DO NOTHING
    """
)

_CHANGE = text(
    """
    UPDATE gene_lists SET note = :note, file_name = :file_name, by = :by, updated_at = now()
    WHERE id = :list_id
    """
)

_DELETE = text("DELETE FROM gene_lists WHERE name = :name")


async def put_list(
    connection: AsyncConnection,
    name: str,
    listed: Listed,
    *,
    note: str | None,
    by: str,
    file_name: str | None = None,
) -> ListChange:
    """Add a list, or replace the list with this name. The operation is idempotent.

    Args:
        connection: a connection with an open transaction.
        name: the name of the list.
        listed: the genes; see `listed.resolve_rows`.
        note: the purpose of the list; None keeps the former note.
        by: who adds the list.
        file_name: the name of the file that the list was read from.

    Raises:
        WrongUse: the name is not allowed, a text is too long, or no row names a single gene.
    """
    check_name(name)
    by = check_text("by", by, MAX_WHO)
    note = None if note is None else check_text("note", note, MAX_NOTE)
    if not listed.genes:
        first = "".join(f"; {problem.found}: {problem.detail}" for problem in listed.problems[:3])
        raise WrongUse(
            f"none of the {len(listed.problems):,} rows names a single gene{first}",
            allowed=f"in each row {ANY_NAME}",
        )
    values = {"name": name, "note": note, "file_name": file_name, "by": by}
    created = (await connection.execute(_CREATE, values)).first() is not None
    before = (await connection.execute(_LOCK, {"name": name})).one()
    members = {"list_id": before.id, "hgnc_ids": sorted(listed.genes)}
    removed = (await connection.execute(_REMOVE_GENES, members)).rowcount
    added = (await connection.execute(_ADD_GENES, members)).rowcount
    renoted = note is not None and note != before.note
    changed = bool(created or added or removed or renoted)
    if changed and not created:
        kept = note if note is not None else before.note
        await connection.execute(_CHANGE, values | {"list_id": before.id, "note": kept})
    return ListChange(
        name=name,
        created=created,
        changed=changed,
        genes=len(listed.genes),
        added=added,
        removed=removed,
        duplicates=listed.duplicates,
        not_in_database=[gene for gene in listed.genes.values() if gene.id is None],
        problems=remarks(listed.problems),
        notes=remarks(listed.notes),
    )


async def all_lists(connection: AsyncConnection) -> list[GeneListSummary]:
    """Return all lists without their genes."""
    rows = (await connection.execute(_SUMMARIES)).mappings()
    return [GeneListSummary(**row) for row in rows]


async def list_names(connection: AsyncConnection) -> list[str]:
    """Return the names of all lists."""
    return [*(await connection.execute(_NAMES)).scalars()]


async def lists_with(connection: AsyncConnection, gene_id: int) -> list[ListName]:
    """Return the lists that a gene is on, by name; see :func:`in_list`."""
    rows = (await connection.execute(_LISTS_WITH, {"gene_id": gene_id})).mappings()
    return [ListName(**row) for row in rows]


async def get_list(connection: AsyncConnection, name: str) -> GeneList:
    """Return a list with its genes.

    Raises:
        NotFound: there is no such list.
    """
    list_id = await list_members(connection, name)
    found = await connection.execute(_SUMMARIES.where(gene_lists.c.id == list_id))
    summary = found.mappings().one()
    members = (await connection.execute(_MEMBERS, {"list_id": list_id})).mappings()
    return GeneList(**summary, members=[NamedGene(**row) for row in members])


async def remove_list(connection: AsyncConnection, name: str) -> None:
    """Remove a list. Its genes and their annotations stay.

    Raises:
        NotFound: there is no such list.
    """
    await list_members(connection, name)
    await connection.execute(_DELETE, {"name": name})


async def list_members(connection: AsyncConnection, name: str) -> int:
    """Return the id of a list in `gene_list_genes`; see :func:`in_list`.

    Raises:
        NotFound: there is no such list.
    """
    found: int | None = None
    if NAME.fullmatch(name):
        found = (await connection.execute(_ID, {"name": name})).scalar_one_or_none()
    if found is None:
        names = await list_names(connection)
        raise NotFound(
            f"there is no gene list {name[:80]!r}{did_you_mean(name, names)}",
            allowed=", ".join(names[:20]) or "none yet: `just list-add NAME FILE` adds one",
        )
    return found


def in_list(list_id: int, gene_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the SQL condition that a gene is on a list.

    The successor of a merged gene on the list is also on the list.

    Args:
        list_id: see :func:`list_members`.
        gene_id: the column of the gene's id in the enclosing query.
    """
    listed = select(gene_list_genes.c.hgnc_id).where(
        gene_list_genes.c.list_id == bindparam(None, list_id)
    )
    merged = select(merged_ids.c.successor).where(merged_ids.c.hgnc_id.in_(listed))
    return gene_id.in_(
        union_all(
            select(genes.c.id).where(genes.c.hgnc_id.in_(listed)),
            select(genes.c.id).where(genes.c.hgnc_id.in_(merged)),
            select(genes.c.successor_id).where(
                genes.c.hgnc_id.in_(listed), genes.c.successor_id.is_not(None)
            ),
        )
    )


async def genes_to_annotate(connection: AsyncConnection, name: str) -> list[str]:
    """Return the HGNC ids of a list's genes that a run can cover.

    Raises:
        WrongUse: the list does not exist, none of its genes is in the database, or HGNC has
            withdrawn all of them.
    """
    try:
        list_id = await list_members(connection, name)
    except NotFound as error:
        raise WrongUse(error.found, allowed=error.allowed) from error
    query = select(genes.c.hgnc_id).where(in_list(list_id, genes.c.id))
    found = await connection.execute(query.where(genes.c.withdrawn_at.is_(None)))
    hgnc_ids = sorted(found.scalars())
    if not hgnc_ids:
        raise WrongUse(
            f"no gene of the list {name} is in the database",
            remedy="import the genes with `just genes-import FILE`",
        )
    return hgnc_ids


def check_name(name: str) -> None:
    """Check that a name is allowed for a list.

    Raises:
        WrongUse: the name is not allowed.
    """
    if not NAME.fullmatch(name):
        raise WrongUse(f"{name[:60]!r} cannot be the name of a list", allowed=ALLOWED_NAME)


def remarks(found: Sequence[object]) -> list[ListRemark]:
    """Return remarks in the shape of the API."""
    return [ListRemark.model_validate(each, from_attributes=True) for each in found]
