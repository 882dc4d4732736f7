"""Stores the files of own tables in PostgreSQL, so that every worker can read them."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.columns import ReadColumn
from app.annotation.own_tables.meaning import OUTCOME
from app.annotation.own_tables.reading import OwnFile, first_key
from app.annotation.sources import SOURCES
from app.core.errors import WrongUse
from app.db.text import is_storable

NAME = re.compile(r"[a-z][a-z0-9_-]{0,29}", re.ASCII)

_RESERVED = frozenset({"all", "none"})

MAX_TEXT = 200
"""Maximum length of a title, licence, release or person's name, in characters."""


@dataclass(frozen=True, slots=True)
class OwnTableRow:
    """A row of ``own_tables``: a file that was added."""

    id: int
    name: str
    title: str
    licence: str
    release: str
    file_name: str
    digest: str
    bytes: int
    rows: int
    genes: int
    columns: dict[str, str]
    keys: list[str]
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class RowRemark:
    """A row whose gene cannot be identified."""

    line: int
    found: str
    problem: str


@dataclass(frozen=True, slots=True)
class Added:
    """The result of adding a file.

    Attributes:
        name: the name of the source.
        release: the release of the file.
        unchanged: whether the same file was already the current one.
        rows: the number of rows.
        genes_here: the number of rows about genes of the database.
        elsewhere: the number of rows about genes that are not in the database.
        problems: the rows whose gene cannot be identified.
        columns: how each column that may name genes was read.
        other_sheets: the other sheets of a workbook, which were not read.
    """

    name: str
    release: str
    unchanged: bool
    rows: int
    genes_here: int
    elsewhere: int
    problems: list[RowRemark]
    columns: list[ReadColumn]
    other_sheets: list[str]


_CURRENT = text(
    """
    SELECT id, name, title, licence, release, file_name, digest, bytes, rows, genes, columns, keys,
      added_by, added_at
    FROM own_tables WHERE replaced_at IS NULL ORDER BY name
    """
)

_ALL_COLUMNS = text("SELECT name, columns FROM own_tables ORDER BY id DESC")

_LOCK = text("LOCK TABLE own_tables IN SHARE ROW EXCLUSIVE MODE")

_REPLACE = text(
    "UPDATE own_tables SET replaced_at = now() WHERE name = :name AND replaced_at IS NULL"
)

# former rows are not needed, because their answers are stored
_FORGET_ROWS = text(
    "DELETE FROM own_rows r USING own_tables t"
    " WHERE t.id = r.table_id AND t.name = :name AND t.replaced_at IS NOT NULL"
)

_ADD = text(
    """
    INSERT INTO own_tables (name, title, licence, release, file_name, digest, bytes, rows, genes,
      columns, keys, added_by)
    VALUES (:name, :title, :licence, coalesce(:release, CAST(current_date AS text)), :file_name,
      :digest, :bytes, :rows, :genes, CAST(:columns AS jsonb), CAST(:keys AS text[]), :added_by)
    RETURNING id, release
    """
)


def check_name(name: str) -> None:
    """Check that a name is allowed for an own table.

    Raises:
        WrongUse: the name has other characters, is reserved, or belongs to a built-in source.
    """
    if not NAME.fullmatch(name):
        raise WrongUse(
            f"{name[:60]!r} cannot be the name of a source",
            allowed="at most 30 lower-case letters, digits, - and _, with a letter first",
        )
    if name in SOURCES or name in _RESERVED:
        raise WrongUse(
            f"{name} is the name of a built-in source"
            if name in SOURCES
            else f"{name} is reserved",
            allowed=f"a name other than {', '.join([*SOURCES, *sorted(_RESERVED)])}",
            remedy=f"just source-add own-{name} FILE",
        )


async def known_names(connection: AsyncConnection) -> Callable[[str], bool]:
    """Return a function that tells whether a gene has or had a name, in any case."""
    found = await connection.execute(
        text("SELECT upper(name) FROM gene_names UNION SELECT upper(symbol) FROM genes")
    )
    names = set(found.scalars())
    return lambda name: name.strip().upper() in names


async def current_tables(connection: AsyncConnection) -> dict[str, OwnTableRow]:
    """Return the current file of each own table, by the name of its source."""
    return {row.name: OwnTableRow(*row) for row in await connection.execute(_CURRENT)}


async def all_columns(connection: AsyncConnection) -> dict[str, dict[str, list[str]]]:
    """Return the columns of all files of each own table, the newest file first.

    Answers from a former file have that file's columns.

    Returns:
        The types of the column in the files, by table and column: ``number`` or ``text``.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for row in await connection.execute(_ALL_COLUMNS):
        columns = found.setdefault(row.name, {})
        for column, kind in row.columns.items():
            columns.setdefault(column, []).append(kind)
    return found


async def lock(connection: AsyncConnection) -> None:
    """Block all other changes of own tables until the end of the transaction."""
    await connection.execute(_LOCK)


async def replace(connection: AsyncConnection, name: str) -> bool:
    """Mark the current file of a source as replaced. Return whether there was one."""
    replaced = await connection.execute(_REPLACE, {"name": name})
    await connection.execute(_FORGET_ROWS, {"name": name})
    return replaced.rowcount > 0


async def add(
    connection: AsyncConnection,
    name: str,
    file: OwnFile,
    *,
    title: str | None,
    licence: str | None,
    release: str | None,
    by: str,
) -> Added:
    """Store a file as the current one of a source. The operation is idempotent.

    Args:
        connection: a connection with an open transaction.
        name: the name of the source.
        file: the file that was read.
        title: the title for people; None means that of the former file, else the name.
        licence: the licence of the data; None means that of the former file, else "own data".
        release: the release for people; None means today's date.
        by: who adds the table.

    Raises:
        WrongUse: the name is not allowed, or a text is too long.
    """
    check_name(name)
    for what, value in (("title", title), ("licence", licence), ("release", release), ("by", by)):
        if value is None or (value.strip() and len(value) <= MAX_TEXT and is_storable(value)):
            continue
        raise WrongUse(f"--{what} {value[:40]!r}", allowed=f"1 to {MAX_TEXT} characters of UTF-8")
    await lock(connection)
    before = (await current_tables(connection)).get(name)
    title = title or (before.title if before else name)
    licence = licence or (before.licence if before else "own data")
    same = before is not None and (before.digest, before.title, before.licence) == (
        file.digest, title, licence,
    )  # fmt: skip
    if before is not None and same and release in {None, before.release}:
        outcome = await _outcome(connection, before.id)
        return _added(name, before.release, file, outcome, unchanged=True)
    await replace(connection, name)
    keys = [next(first_key(row), None) for row, _ in file.rows]
    values = {
        "name": name,
        "title": title,
        "licence": licence,
        "release": release,
        "file_name": file.path.name,
        "digest": file.digest,
        "bytes": file.size,
        "rows": len(file.rows),
        "genes": len({key for key in keys if key is not None}),
        "columns": msgspec.json.encode(file.columns).decode(),
        "keys": sorted({key[0] for key in keys if key is not None}),
        "added_by": by,
    }
    stored = (await connection.execute(_ADD, values)).one()
    await _copy(connection, stored.id, file, keys)
    # without statistics of the new rows, PostgreSQL would choose a slow nested loop join
    await connection.execute(text("ANALYZE own_rows"))
    outcome = await _outcome(connection, stored.id)
    return _added(name, stored.release, file, outcome, unchanged=False)


async def _copy(
    connection: AsyncConnection,
    table_id: int,
    file: OwnFile,
    keys: Sequence[tuple[str, str] | None],
) -> None:
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    statement = "COPY own_rows (table_id, line, key, value, data) FROM STDIN"
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for (row, data), key in zip(file.rows, keys, strict=True):
            name, value = key or (None, None)
            value = value.strip().upper() if name == "symbol" and value else value
            encoded = msgspec.json.encode(data).decode()
            await copy.write_row((table_id, row.line, name, value, encoded))


async def _outcome(connection: AsyncConnection, table_id: int) -> list[Any]:
    return list(await connection.execute(OUTCOME, {"table_id": table_id}))


def _added(name: str, release: str, file: OwnFile, outcome: list[Any], *, unchanged: bool) -> Added:
    counts = Counter(row.outcome for row in outcome)
    texts = {row.line: row.text for row, _ in file.rows}
    problems = [
        RowRemark(row.line, texts.get(row.line, "") or row.value or "", row.outcome)
        for row in outcome
        if row.outcome not in {"found", "not in this database"}
    ]
    return Added(
        name,
        release,
        unchanged,
        len(file.rows),
        counts["found"],
        counts["not in this database"],
        problems,
        file.read,
        file.other_sheets,
    )
