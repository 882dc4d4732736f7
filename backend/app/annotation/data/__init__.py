"""The stored data as a product: former states, changes, snapshots, queries and exports.

`moments` is when: now, a time, or a snapshot. `versions` selects the answers that were valid then,
and `genes` the genes as they were then.
`fields` are the fields of all answers, and `field_names` finds them by what people type.
`conditions` are what answers can be selected by, and `lists` are lists of genes that people name.
`wanted` is what a reader wants of genes, and `reading` reads genes with their answers.
`gene_filter` chooses genes, `gene_order` sorts them, and `gene_pages` reads them page by page.
`gene_query` answers many identifiers, and `one_gene` finds the gene of a name. `gene_history` reads
the versions of answers, `gene_changes` says in words what was new with each, and `gene_events` what
happened to a gene itself. `shapes` is the JSON of genes as it is written, and `views` describes it
for OpenAPI.
`snapshots` takes, lists and deletes snapshots. `manifest` says what the answers of a moment consist
of, and `citation` writes what a paper cites. `rollback` restores the answers of a moment.
`retention` removes what is older than the settings say, and `file_retention` unused files; `checks`
are the doctor's checks of both.
`changes` are the differences of two moments, or what a run changed. `diff` compares two versions of
an answer, and `wording` says in words what differs.
`export` makes files of the answers, for R, pandas and spreadsheets.
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
    "shapes",
    "snapshots",
    "versions",
    "views",
    "wanted",
    "wording",
]
"""The modules that others may use."""
