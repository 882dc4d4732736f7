"""Exports the answers of a moment as a table: TSV, CSV, JSON lines, Parquet or a workbook.

`running` begins an export: `planning` checks what somebody asks for and makes an order of it, and
`process` starts a process that executes the order and writes the table to its standard output, so
that neither the work nor its memory burdens the process that asked. `files` writes an export into a
file, `target` makes files that appear when they are complete, and `folder` makes folders for
temporary files. `columns` are the columns, and `describing` writes the data dictionary.

In the started process, `child` reads genes and answers batch by batch, `rows` makes rows of them,
and `formats` writes them. It imports no more than it needs, because an export may take little
memory.
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
