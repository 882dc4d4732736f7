"""Imports the list of genes from files or HGNC, and resolves names to genes.

`importing` imports genes, `identity` updates them from HGNC's later files, and `identifiers`
changes single genes. `resolve` resolves a name, `search` finds genes by the start of a name, and
`words` describes the results. `former` reads former symbols, `selection` finds the genes of a run,
and `listed` those of a list.
"""

__all__ = [
    "cells",
    "columns",
    "dialects",
    "files",
    "former",
    "identifiers",
    "identity",
    "importing",
    "listed",
    "resolve",
    "search",
    "selection",
    "text",
    "words",
]
"""The modules that others may use."""
