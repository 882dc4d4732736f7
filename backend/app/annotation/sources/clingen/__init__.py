"""ClinGen: the validity of gene-disease relationships, and the dosage sensitivity of genes."""
