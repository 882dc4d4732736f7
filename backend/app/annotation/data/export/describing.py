"""Writes the data dictionary alone, in the human-readable formats."""

import io
from collections.abc import Sequence

from app.annotation.data.export.formats import FORMATS, writer_of
from app.annotation.data.export.order import Column, Row, Table
from app.core.errors import WrongUse

DICTIONARY = (
    Column("column", "text", "The name of a column."),
    Column("type", "text", "What its cells hold: text, integer, number, boolean, time or json."),
    Column("unit", "text", "The unit of a number."),
    Column("definition", "text", "What it means."),
    Column("source", "text", "The source whose answers it tells."),
    Column("licence", "text", "The licence of the source's data."),
    Column("attribution", "text", "How the source wants to be named where its data are used."),
    Column("release", "text", "The releases of the source that the answers came from."),
)
"""The columns of the data dictionary."""


def described(columns: Sequence[Column], name: str) -> bytes:
    """Return the data dictionary in a format.

    Args:
        columns: the columns of the export.
        name: the name of the format.

    Raises:
        WrongUse: the files of the format contain the dictionary.
    """
    if not FORMATS[name].is_text:
        raise WrongUse(
            f"the data dictionary alone as {name}, whose files contain it",
            allowed=", ".join(format_.name for format_ in FORMATS.values() if format_.is_text),
        )
    out = io.BytesIO()
    writer = writer_of(Table(name, list(DICTIONARY), "{}", ""), out, "")
    writer.write([cells_of(column) for column in columns])
    writer.close()
    return out.getvalue()


def cells_of(column: Column) -> Row:
    """Return the row of a column in the dictionary."""
    return [
        column.name,
        column.type,
        column.unit,
        column.definition,
        column.source,
        column.licence,
        column.attribution,
        column.release,
    ]
