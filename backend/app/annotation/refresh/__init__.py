"""The work of a run: the genes that are due, the batches, the checks of answers, and the commits.

`pipeline` executes the sources of a run. `source_refresh` refreshes one source: `by_file` reads its
file and `by_api` asks its service. `ledger` commits answers and progress in one transaction, with
the statement of `commits`. `origins` records where the answers came from.
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
