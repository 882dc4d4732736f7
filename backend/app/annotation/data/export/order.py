"""What the process that writes an export is told, and what it says."""

from typing import Any, Literal

import msgspec

CellType = Literal["text", "integer", "number", "boolean", "time", "json"]
"""What a cell holds. A list or a map is JSON. None is a cell without a value."""

Cell = str | int | float | bool | bytes | Any | None
"""The value of a cell; that of a time is a ``datetime``, and that of JSON its encoded text."""

Row = list[Cell]


class Column(msgspec.Struct, frozen=True):
    """A column of an export, as its data dictionary describes it.

    Attributes:
        name: of the column: ``clinvar.germline.pathogenic``.
        type: what its cells hold.
        definition: what it means.
        unit: of a number.
        source: whose answers it tells; None for what identifies the gene.
        licence: of the source's data.
        attribution: how the source wants to be named.
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
    """Where the value of a column is in the data of an answer, or in an entry of it."""

    path: tuple[str, ...]
    type: CellType


class SourceCells(msgspec.Struct, frozen=True):
    """The cells that an answer of a source fills in the row of its gene.

    Attributes:
        source: its name.
        first: the index of the cell with the state. The release, the time and the leaves follow.
        leaves: in the order of the columns.
    """

    source: str
    first: int
    leaves: list[Leaf]


class LongForm(msgspec.Struct, frozen=True):
    """The list or map of which each entry becomes a row.

    Attributes:
        path: where it is in the data.
        entries: what the entries are: objects or values of a list, or values of a map by key.
        leaves: the cells of an entry. Of a map, the key is the first one.
    """

    path: tuple[str, ...]
    entries: Literal["objects", "values", "keys"]
    leaves: list[Leaf]


class Query(msgspec.Struct, frozen=True):
    """A statement for psycopg with the values of its parameters."""

    statement: str
    values: dict[str, Any]


class Table(msgspec.Struct, frozen=True):
    """What is exported, in which format.

    Attributes:
        format: one of :data:`~.formats.FORMATS`.
        columns: all columns, in their order.
        manifest: of the moment, as JSON.
        citation: what a paper cites.
    """

    format: str
    columns: list[Column]
    manifest: str
    citation: str


class Order(msgspec.Struct, frozen=True):
    """What the process is to do.

    Attributes:
        dsn: the address of the database.
        snapshot: the snapshot that another transaction exported; see ``SET TRANSACTION SNAPSHOT``.
        genes: returns the genes in the order of the rows: id, HGNC id, symbol, Ensembl id, Entrez
            id, and whether it is withdrawn.
        answers: returns the answers about the genes in the parameter ``gene_ids``: gene id, source,
            state, release, when it was fetched, and the data as text.
        table: the columns and the format.
        sources: the cells of each source; empty for the long form.
        long: the long form, if it is asked for.
        folder: for temporary files.
        gzip: whether the output is compressed.
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
    """The process reads from the snapshot. The transaction that exported it may end."""


class Progress(msgspec.Struct, tag=True, frozen=True):
    """So many genes were written."""

    genes: int


class Done(msgspec.Struct, tag=True, frozen=True):
    """The export is complete.

    Attributes:
        genes: that were read.
        rows: that were written.
        misfits: the number of values that are not of the type of their column, by column. Their
            cells are empty.
    """

    genes: int
    rows: int
    misfits: dict[str, int]


class Failed(msgspec.Struct, tag=True, frozen=True):
    """The export could not be completed.

    Attributes:
        of: what the cause is. ``closed`` means that nobody reads the output any more.
        reason: a sentence without secrets.
    """

    of: Literal["output", "database", "closed"]
    reason: str


Message = Started | Progress | Done | Failed
