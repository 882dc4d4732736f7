"""The stored data as a product: former states, changes, snapshots, queries and exports.

`moments` is when: now, a time, or a snapshot. `versions` selects the answers that were valid then,
and `genes` the genes as they were then.
`fields` are the fields of all answers, and `field_names` finds them by what people type.
`conditions` are what answers can be selected by, and `lists` are lists of genes that people name.
`snapshots` takes, lists and deletes snapshots. `manifest` says what the answers of a moment consist
of, and `citation` writes what a paper cites. `rollback` restores the answers of a moment,
and `retention` removes former answers.
"""

__all__ = [
    "citation",
    "conditions",
    "field_names",
    "fields",
    "genes",
    "lists",
    "manifest",
    "moments",
    "retention",
    "rollback",
    "snapshots",
    "versions",
]
"""The modules that others may use."""
