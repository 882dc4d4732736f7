"""The messages between an export's child process and its parent."""

from typing import Any, Literal

import msgspec

CellType = Literal["text", "integer", "number", "boolean", "time", "json"]
"""The type of a cell. A list or a map is JSON."""

Cell = str | int | float | bool | bytes | Any | None
"""The value of a cell: a ``datetime`` for a time, and encoded text for JSON. None means no
value."""

Row = list[Cell]


class Column(msgspec.Struct, frozen=True):
    """A column of an export, as described in the data dictionary.

    Attributes:
        name: the name of the column: ``clinvar.germline.pathogenic``.
        type: the type of its cells.
        definition: the definition.
        unit: the unit of a number.
        source: the source of the answers; None for a column that identifies the gene.
        licence: the licence of the source's data.
        attribution: the attribution that the source asks for.
        release: the releases of the source that the answers came from.
    """

    name: str
    type: CellType
    definition: str
    unit: str | None = None
    source: str | None = None
    licence: str | None = None
    attribution: str | None = None
    release: str | None = None


class Leaf(msgspec.Struct, frozen=True):
    """The path of a column's value in the data of an answer or in an entry."""

    path: tuple[str, ...]
    type: CellType


class SourceCells(msgspec.Struct, frozen=True):
    """The cells that an answer of a source fills in the row of its gene.

    Attributes:
        source: the name of the source.
        first: the index of the cell with the state. The release, the time and the leaves follow.
        leaves: the paths of the values, in the order of the columns.
    """

    source: str
    first: int
    leaves: list[Leaf]


class LongForm(msgspec.Struct, frozen=True):
    """The list or map whose entries become rows.

    Attributes:
        path: the path in the data.
        entries: the kind of entries: objects or values of a list, or values of a map by key.
        leaves: the cells of an entry. The first cell of a map's entry is the key.
    """

    path: tuple[str, ...]
    entries: Literal["objects", "values", "keys"]
    leaves: list[Leaf]


class Query(msgspec.Struct, frozen=True):
    """A statement for psycopg with the values of its parameters."""

    statement: str
    values: dict[str, Any]


class Table(msgspec.Struct, frozen=True):
    """The exported table and its format.

    Attributes:
        format: one of :data:`~.formats.FORMATS`.
        columns: all columns, in their order.
        manifest: the manifest of the moment, as JSON.
        citation: the citation.
    """

    format: str
    columns: list[Column]
    manifest: str
    citation: str


class Order(msgspec.Struct, frozen=True):
    """The task of the child process.

    Attributes:
        dsn: the address of the database.
        snapshot: the id of a snapshot exported by another transaction; see ``SET TRANSACTION
            SNAPSHOT``.
        genes: the query of the genes in the order of the rows: id, HGNC id, symbol, Ensembl id,
            Entrez id, and whether the gene is withdrawn.
        answers: the query of the answers about the genes in the parameter ``gene_ids``: gene id,
            source, state, release, time of fetching, and the data as text.
        table: the columns and the format.
        sources: the cells of each source; empty for the long form.
        long: the long form, if requested.
        folder: the folder for temporary files.
        gzip: whether the output is compressed with gzip.
    """

    dsn: str
    snapshot: str
    genes: Query
    answers: Query
    table: Table
    sources: list[SourceCells]
    long: LongForm | None
    folder: str
    gzip: bool = False


class Started(msgspec.Struct, tag=True, frozen=True):
    """The process has opened the snapshot. The transaction that exported it may end."""


class Progress(msgspec.Struct, tag=True, frozen=True):
    """The number of genes written so far."""

    genes: int


class Done(msgspec.Struct, tag=True, frozen=True):
    """The export is complete.

    Attributes:
        genes: the number of genes read.
        rows: the number of rows written.
        misfits: the number of values of a wrong type, by column. Their cells are empty.
    """

    genes: int
    rows: int
    misfits: dict[str, int]


class Failed(msgspec.Struct, tag=True, frozen=True):
    """The export could not be completed.

    Attributes:
        of: the cause. ``closed`` means that the reader has closed the output.
        reason: the reason, without secrets.
    """

    of: Literal["output", "database", "closed"]
    reason: str


Message = Started | Progress | Done | Failed
