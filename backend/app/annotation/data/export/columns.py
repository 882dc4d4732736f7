"""The columns of an export and their descriptions in the data dictionary."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from app.annotation.data.export.order import CellType, Column, Leaf, LongForm, SourceCells
from app.annotation.data.fields import ElementKind, Field, Kind

GENE_COLUMNS = (
    Column("hgnc_id", "text", "HGNC's identifier of the gene, with its prefix."),
    Column("symbol", "text", "The symbol that HGNC had approved at the moment of the export."),
    Column("ensembl_gene_id", "text", "The gene id that begins with ENSG, without its version."),
    Column("entrez_id", "text", "NCBI's GeneID. It is text, because it is a name and no quantity."),
    Column(
        "withdrawn",
        "boolean",
        "Whether HGNC had withdrawn the gene. The answers are those from before then.",
    ),
)
"""The first columns of every export."""

STATE = (
    "What the source says about the gene: found, absent (the source has no data) or unknown (it"
    " could not be found out). No value means that the source was never asked about the gene."
)

RELEASE = "The release of the source that the answer came from."

FETCHED_AT = (
    "When the answer was fetched, in UTC. Of a past moment: since when the release had given this"
    " answer."
)

_CELL_TYPES: Mapping[Kind | ElementKind, CellType] = {
    "text": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "list": "json",
    "map": "json",
    "object": "json",
}


class About(msgspec.Struct, frozen=True):
    """The description of a source, shared by its columns."""

    source: str
    licence: str | None = None
    attribution: str | None = None
    release: str | None = None


def columns_of(
    about: About, fields: Iterable[Field], first: int
) -> tuple[list[Column], SourceCells]:
    """Return the columns of a source's answers, and the cells that an answer fills.

    Args:
        about: the source.
        fields: the exported fields.
        first: the index of the first column.
    """
    columns = [_column(about, "state", "text", STATE), *_origin(about)]
    leaves = []
    for field in fields:
        columns.append(_column(about, field, _CELL_TYPES[field.kind], _definition(field)))
        leaves.append(Leaf(field.path, columns[-1].type))
    return columns, SourceCells(about.source, first, leaves)


def long_columns(about: About, field: Field) -> tuple[list[Column], LongForm]:
    """Return the columns of the long form of a list or a map."""
    columns = _origin(about)
    if field.kind == "list" and field.element == "object":
        leaves = []
        for part in field.parts:
            columns.append(_column(about, part, _CELL_TYPES[part.kind], _definition(part)))
            leaves.append(Leaf(part.path[len(field.path) :], columns[-1].type))
        return columns, LongForm(field.path, "objects", leaves)
    assert field.element is not None
    value = Leaf(("value",), _CELL_TYPES[field.element])
    below = ".".join(field.path)
    if field.kind == "list":
        words = f"An entry of the list. {field.definition}"
        columns.append(_column(about, f"{below}.value", value.type, words, field.unit))
        return columns, LongForm(field.path, "values", [value])
    words = f"The key of an entry. {field.definition}"
    columns.append(_column(about, f"{below}.key", "text", words))
    words = f"The value of an entry. {field.definition}"
    columns.append(_column(about, f"{below}.value", value.type, words, field.unit))
    return columns, LongForm(field.path, "keys", [Leaf(("key",), "text"), value])


def own_table(source: str, columns: Mapping[str, Collection[str]]) -> dict[str, Field]:
    """Return the field of an own table. The table may have been removed.

    Args:
        source: the name of the source.
        columns: of all of its files; see `store.all_columns`. A column that held text in one of
            them is a column of text.
    """
    parts = tuple(
        Field(
            source,
            ("rows", column),
            "number" if {*kinds} == {"number"} else "text",
            nullable=True,
            definition=f"The column {column}.",
        )
        for column, kinds in columns.items()
    )
    rows = Field(
        source,
        ("rows",),
        "list",
        nullable=False,
        definition="The rows of the table about the gene.",
        element="object",
        parts=parts,
    )
    return {rows.name: rows}


def dictionary(columns: Sequence[Column], *, workbook: bool = False) -> list[Column]:
    """Return the columns as described in the dictionary of a format."""
    if not workbook:
        return list(columns)
    return [
        msgspec.structs.replace(column, definition=f"{column.definition} {_CUT}")
        if column.type == "json"
        else column
        for column in columns
    ]


_CUT = (
    "In a workbook, a text of more than 32,767 characters is cut and ends with [cut: too long for a"
    " cell]; the other formats have all of it."
)


def _origin(about: About) -> list[Column]:
    return [
        _column(about, "release", "text", RELEASE),
        _column(about, "fetched_at", "time", FETCHED_AT),
    ]


def _definition(field: Field) -> str:
    if not field.values:
        return field.definition
    return f"{field.definition} One of: {', '.join(field.values)}."


def _column(
    about: About, what: Field | str, kind: CellType, definition: str, unit: str | None = None
) -> Column:
    name = f"{about.source}.{what}" if isinstance(what, str) else what.name
    return Column(
        name,
        kind,
        definition,
        unit if isinstance(what, str) else what.unit,
        about.source,
        about.licence,
        about.attribution,
        about.release,
    )
