"""The list of genes: reading it from files or from HGNC, and what the names in it mean."""
