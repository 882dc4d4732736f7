"""Reads the stored data: former states, changes, snapshots, queries and exports.

`moments` defines the point in time of a read: now, a time, or a snapshot. `versions` selects the
answers that were valid at it, and `genes` the genes as they were at it. `fields` describes the
fields of all answers, and `field_names` finds them by typed names. `conditions` filters answers,
and `lists` manages named lists of genes. `selection` selects the answers to read, and `reading`
reads genes with their answers. `gene_filter` chooses genes, `gene_order` sorts them, and
`gene_pages` reads them page by page. `gene_query` answers queries of many identifiers, and
`one_gene` finds the gene of a name. `gene_history` reads the versions of answers, `gene_changes`
describes the changes of each in words, and `gene_events` reads the events of a gene itself.
`shapes` writes genes as JSON, and `views` describes this JSON for OpenAPI. `snapshots` takes, lists
and deletes snapshots. `manifest` lists the sources and releases of a moment, and `citation` writes
the text that a paper cites. `rollback` restores the answers of a moment. `retention` removes former
answers that the settings no longer keep, and `file_retention` removes unused files. `checks` has
the doctor's checks of both. `changes` lists the differences between two moments, or the changes of
a run. `diff` compares two versions of an answer, and `wording` describes the differences in words.
`export` writes the answers to files for R, pandas and spreadsheets.
"""

__all__ = [
    "changes",
    "checks",
    "citation",
    "conditions",
    "diff",
    "export",
    "field_names",
    "fields",
    "gene_changes",
    "gene_events",
    "gene_filter",
    "gene_history",
    "gene_order",
    "gene_pages",
    "gene_query",
    "genes",
    "lists",
    "manifest",
    "moments",
    "one_gene",
    "reading",
    "retention",
    "rollback",
    "selection",
    "shapes",
    "snapshots",
    "versions",
    "views",
    "wording",
]
"""The modules that others may use."""
