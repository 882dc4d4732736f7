"""Own tables of the group: each is a source whose file is stored in PostgreSQL.

`reading` reads a text table or, with `workbook`, a spreadsheet. `values` detects columns of
numbers. `store` stores the table, `removal` removes it, `source` answers from it, and `registry`
lists all sources, including own tables.
"""

__all__ = ["reading", "registry", "removal", "source", "store"]
"""The modules that others may use."""
