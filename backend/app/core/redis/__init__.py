"""The connection to Redis, and the request budgets that are kept there."""

__all__ = ["address", "checks", "health_line", "installation", "patience", "pool", "rate_limits"]
"""The modules that others may use."""
