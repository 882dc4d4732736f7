"""ClinVar: the classifications of each gene's variants, by API or from the bulk table."""
