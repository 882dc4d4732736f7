"""Exports the answers of a moment as a table: TSV, CSV, JSON lines, Parquet or Excel.

`running` begins an export: `planning` validates a request and turns it into an order. `process`
starts a child process that executes the order and writes the table to its standard output, so that
the requesting process needs neither the time nor the memory. `files` exports into a file, `target`
writes files atomically, and `folder` creates temporary folders. `columns` defines the columns, and
`describing` writes the data dictionary.

In the child process, `child` reads genes and answers in batches, `rows` converts them to rows, and
`formats` writes them. The child imports as little as possible to keep its memory small.
"""

__all__ = [
    "columns",
    "describing",
    "files",
    "folder",
    "formats",
    "order",
    "planning",
    "process",
    "running",
    "target",
]
"""The modules that others may use."""
