"""Checks of PostgreSQL, explanations of its errors, migrations and backups."""

__all__ = [
    "background",
    "backup",
    "checks",
    "migration",
    "place",
    "psql",
    "refusals",
    "schema",
    "unavailable",
]
"""The modules that others may use."""
