from collections.abc import Mapping
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from app.annotation.data.export.order import CellType, Column, Row, Table

ROW_GROUP_BYTES = 4 * 1024**2
"""The approximate size of a row group in bytes. A group is in memory as rows, as columns and
compressed. Smaller groups would be more, and the metadata of each stays in memory until the end."""

ROW_GROUP_ROWS = 5_000

_TYPES: Mapping[CellType, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "time": pa.timestamp("us", tz="UTC"),
    "json": pa.string(),
}


class Parquet:
    """Apache Parquet. Lists and maps are columns of JSON text.

    The file's metadata contain the data dictionary (``columns``), the manifest and the citation.
    Each column's metadata contain its row of the dictionary.
    """

    def __init__(self, table: Table, out: BinaryIO, folder: str) -> None:
        del folder
        # a thread pool would take memory, and PostgreSQL needs the second core
        pa.set_cpu_count(1)
        # Arrow's own pool keeps 40 MB more than it needs
        pa.set_memory_pool(pa.system_memory_pool())
        self._columns = table.columns
        about = {
            "columns": msgspec.json.encode(table.columns),
            "manifest": table.manifest,
            "citation": table.citation,
        }
        self._schema = pa.schema(list(map(_field, table.columns)), metadata=about)
        self._writer = pq.ParquetWriter(
            out,
            self._schema,
            compression="zstd",
            # JSON values rarely repeat, and their minimum and maximum are useless
            use_dictionary=[column.name for column in table.columns if column.type == "text"],
            write_statistics=[column.name for column in table.columns if column.type != "json"],
        )
        self._json = [place for place, each in enumerate(table.columns) if each.type == "json"]
        self._rows: list[Row] = []
        self._bytes = 0

    def write(self, rows: list[Row]) -> None:
        """Write some rows."""
        self._rows += rows
        for row in rows:
            for place in self._json:
                cell: Any = row[place]
                self._bytes += 0 if cell is None else len(cell)
        if self._bytes >= ROW_GROUP_BYTES or len(self._rows) >= ROW_GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        """Write the remaining data."""
        if self._rows:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        self._writer.write_table(self._taken())

    def _taken(self) -> pa.Table:
        """Return the rows as columns, and release the rows before the columns are compressed."""
        rows, self._rows, self._bytes = self._rows, [], 0
        columns = zip(self._columns, zip(*rows, strict=True), strict=True)
        arrays = [_array(column, values) for column, values in columns]
        return pa.Table.from_arrays(arrays, schema=self._schema)


def _field(column: Column) -> pa.Field:
    described = msgspec.to_builtins(column)
    about = {key: value for key, value in described.items() if key != "name" and value is not None}
    return pa.field(column.name, _TYPES[column.type], metadata=about)


def _array(column: Column, values: tuple[Any, ...]) -> pa.Array:
    if column.type == "json":
        return pa.array(values, type=pa.binary()).cast(pa.string())
    return pa.array(values, type=_TYPES[column.type])
