"""Whether PostgreSQL can be used, why not, and backups."""
