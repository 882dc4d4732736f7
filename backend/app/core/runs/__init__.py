"""Runs and attempts: requests, state transitions, and the read-only views of them."""

__all__ = [
    "actors",
    "attempt",
    "buckets",
    "by_source",
    "checks",
    "events",
    "filters",
    "jobs",
    "log_lines",
    "operations",
    "outcome",
    "parts",
    "ref",
    "request",
    "shapes",
    "totals",
    "traces",
    "transitions",
    "views",
]
"""The modules that others may use."""
