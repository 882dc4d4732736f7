"""UniProt: the reviewed entries of each gene's proteins."""
