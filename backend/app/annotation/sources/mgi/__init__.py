"""MGI: the mouse orthologs of each gene, and the phenotypes of mice in which they are mutated."""
