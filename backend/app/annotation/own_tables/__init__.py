"""The group's own tables: each is a source like any other, whose file is stored in PostgreSQL.

`reading` reads a table that somebody adds, of text or, with `workbook`, of a spreadsheet. `values`
tells numbers from text. `store` stores it, `source` answers from it, and `registry` lists all
sources, those of this kind included.
"""

__all__ = ["reading", "registry", "source", "store"]
"""The modules that others may use."""
