"""What the runs do: they keep an answer for each gene and source. It knows genes, and not Redis."""
