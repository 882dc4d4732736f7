"""Runs and attempts: requests, state transitions, and the read-only views of them.

`request` is what somebody asks for, and `ref` identifies a run and an attempt. `operations`
creates, cancels, retries and accepts runs, with the statements of `transitions`. `attempt` is what
executes a run, and `outcome` records how it ended. `events`, `actors`, `log_lines`, `parts` and
`by_source` are what is known of it later. `views` reads runs for people, in the form of `shapes`
and by `filters`. `totals` counts for the metrics, and `traces` sends spans.
"""

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
