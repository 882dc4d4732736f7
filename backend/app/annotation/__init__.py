"""What the runs do: they keep an answer for each gene and source. It knows genes, and not Redis.

- `upstream`: the HTTP client, which keeps to each service's limits and distrusts its answers.
- `sources`: one module or package for each source, and the registry of all.
- `genes`: the list of genes, and what a name means.
- `own_tables`: the group's own tables, which are sources like any other.
- `refresh`: the work of a run, from the genes that are due to the commits.
- `data`: the stored answers as a product: history, changes, snapshots, queries and exports.
- `scheduled`: what schedules do beside creating runs.
- `notices`: what people are told of sources and their data.
- `overview`: what there is of each source, and how much of the request budgets is in use.

`settings` has the settings of the sources beside those of the job engine.
"""
