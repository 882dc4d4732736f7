"""The limits of an own table."""

MAX_BYTES = 50_000_000
"""Maximum size of the file in bytes."""

MAX_ROWS = 200_000
"""Maximum number of rows, without the header."""

MAX_COLUMNS = 200

MAX_CELL_CHARS = 5_000

MAX_NAME_CHARS = 100
"""Maximum length of a column's name in characters."""
