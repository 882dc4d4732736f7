"""The work of the runs: it stores an answer for each gene and source. It does not use Redis.

- `upstream`: the HTTP client, which enforces each service's limits and validates its answers.
- `sources`: one module or package for each source, and the registry of all.
- `genes`: the list of genes, and the resolution of names.
- `own_tables`: the group's own tables, which are sources like any other.
- `refresh`: the work of a run, from the genes that are due to the commits.
- `data`: reads of the stored answers: history, changes, snapshots, queries and exports.
- `scheduled`: the actions of schedules other than runs.
- `notices`: notifications about sources and their data.
- `overview`: the state of each source, and the use of the request budgets.

`settings` combines the settings of the sources with those of the job engine.
"""
