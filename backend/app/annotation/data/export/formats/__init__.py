"""The formats of an export.

A writer is a class that is called as ``Writer(table, out, folder)`` with the
:class:`~..order.Table`, a binary file that need not be seekable, and a folder for temporary files.
Its method ``write`` takes some rows, and ``close`` writes what is left, without closing the file.
"""

from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from app.annotation.data.export.order import Row, Table


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes:
        name: by which people ask for it. It is the ending of its files, too.
        media_type: what ``Content-Type`` says.
        writer: ``module:class`` below this package.
        is_text: whether people can read it as it is. A terminal gets nothing else, and the data
            dictionary is a file of its own.
        library: the package that the writer needs.
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
"""By name, the default first."""


class Writer(Protocol):
    """Writes a table in one format."""

    def write(self, rows: list[Row]) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what is left. The file stays open."""


def writer_of(table: Table, out: BinaryIO, folder: str) -> Writer:
    """Return the writer of a table."""
    from pkgutil import resolve_name

    made: Any = resolve_name(f"{__name__}.{FORMATS[table.format].writer}")
    writer: Writer = made(table, out, folder)
    return writer
