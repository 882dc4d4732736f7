"""The connection to Redis, and the request budgets that are stored there."""

__all__ = [
    "address",
    "budgets",
    "checks",
    "health_line",
    "installation",
    "pool",
    "rate_limits",
    "retry",
]
"""The modules that others may use."""
