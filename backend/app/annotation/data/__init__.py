"""The stored data as a product: former states, changes, snapshots, queries and exports.

`moments` is when: now, a time, or a snapshot. `versions` selects the answers that were valid then,
and `genes` the genes as they were then.
"""

__all__ = ["genes", "moments", "versions"]
"""The modules that others may use."""
