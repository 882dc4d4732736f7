"""How large an own table may be."""

MAX_BYTES = 50_000_000
"""Bytes of the file."""

MAX_ROWS = 200_000
"""Rows without the header."""

MAX_COLUMNS = 200

MAX_CELL_CHARS = 5_000

MAX_NAME_CHARS = 100
"""Characters of a column's name."""
