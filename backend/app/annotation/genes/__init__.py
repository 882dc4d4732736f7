"""The list of genes: it is read from files or from HGNC, and every name is resolved to a gene."""

__all__ = ["columns", "importing", "selection"]
"""The modules that others may use."""
