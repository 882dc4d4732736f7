"""Whether PostgreSQL can be used, why not, and backups."""

__all__ = ["away", "backup", "checks", "migration", "place", "psql", "refusals", "schema"]
"""The modules that others may use."""
