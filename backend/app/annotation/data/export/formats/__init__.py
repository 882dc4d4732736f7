"""The formats of an export.

A writer is a class, called as ``Writer(table, out, folder)`` with the :class:`~..order.Table`, a
binary file that need not be seekable, and a folder for temporary files. The method ``write`` writes
rows, and ``close`` writes the rest without closing the file.
"""

from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from app.annotation.data.export.order import Row, Table


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes:
        name: the name, which is also the file name extension.
        media_type: the ``Content-Type``.
        writer: ``module:class`` below this package.
        is_text: whether the format is human-readable. Only such formats are written to a terminal,
            with the data dictionary in a separate file.
        library: the package that the writer needs; None if it needs none.
    """

    name: str
    media_type: str
    writer: str
    is_text: bool = True
    library: str | None = None


FORMATS = {
    each.name: each
    for each in (
        Format("tsv", "text/tab-separated-values; charset=utf-8", "delimited:Tsv"),
        Format("csv", "text/csv; charset=utf-8", "delimited:Csv"),
        Format("jsonl", "application/jsonl", "json_lines:JsonLines"),
        Format(
            "parquet",
            "application/vnd.apache.parquet",
            "parquet:Parquet",
            is_text=False,
            library="pyarrow",
        ),
        Format(
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "workbook:Workbook",
            is_text=False,
            library="xlsxwriter",
        ),
    )
}
"""The formats by name, the default first."""


class Writer(Protocol):
    """Writes a table in one format."""

    def write(self, rows: list[Row]) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write the remaining data. The file stays open."""


def writer_of(table: Table, out: BinaryIO, folder: str) -> Writer:
    """Return the writer of a table."""
    from pkgutil import resolve_name

    made: Any = resolve_name(f"{__name__}.{FORMATS[table.format].writer}")
    writer: Writer = made(table, out, folder)
    return writer
