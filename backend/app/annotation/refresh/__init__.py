"""The work of a run: the genes that are due, the batches, the checks of answers, and the commits.

`pipeline` executes a run source by source. `source_refresh` refreshes one source: `by_file` from
its file, and `by_api` by asking its service. `ledger` commits the answers with the progress,
by the statement of `commits`, and `origins` records where they came from.
"""

__all__ = [
    "batches",
    "checks",
    "commits",
    "coverage",
    "due_now",
    "forecast",
    "ledger",
    "origins",
    "pipeline",
    "requests",
    "run_detail",
]
"""The modules that others may use."""
