"""What is shown of the sources and their services, whatever they are asked about.

`sources` says what there is of each source: its licence and releases, how complete and fresh it is,
and what is wrong with it. `budgets` says how much of the request budgets of the services is in use.
"""

__all__ = ["budgets", "sources"]
"""The modules that others may use."""
