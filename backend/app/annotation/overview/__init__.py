"""The state of the sources and their services, for the API, the pages and the CLI.

`sources` reads the state of each source: its licence, releases, coverage, the age of its answers,
and its problems. `budgets` reads the use of the services' request budgets.
"""

__all__ = ["budgets", "sources"]
"""The modules that others may use."""
