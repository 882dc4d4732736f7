"""Whether PostgreSQL can be used, why not, and backups."""

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
