from typing import Any, BinaryIO

import msgspec

from app.annotation.data.export.order import Row, Table

_encoder = msgspec.json.Encoder()


class JsonLines:
    """JSON lines: one object for each row, with all columns. Lists and maps are JSON as well."""

    def __init__(self, table: Table, out: BinaryIO, folder: str) -> None:
        del folder
        self._out = out
        self._names = [column.name for column in table.columns]
        self._json = [place for place, each in enumerate(table.columns) if each.type == "json"]

    def write(self, rows: list[Row]) -> None:
        """Write some rows."""
        for row in rows:
            for place in self._json:
                cell: Any = row[place]
                if cell is not None:
                    row[place] = msgspec.Raw(cell)
        objects = [dict(zip(self._names, row, strict=True)) for row in rows]
        self._out.write(_encoder.encode_lines(objects))

    def close(self) -> None:
        """Do nothing: all rows are written."""
