"""HPO: the phenotypes of the diseases that each gene causes."""
