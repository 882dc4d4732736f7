"""The list of genes: it is read from files or from HGNC, and every name is resolved to a gene.

`importing` imports genes. `identity` follows what HGNC says about them later, `identifiers` changes
single genes, `resolve` says what a name means, `search` finds genes by a part of a name, `words`
says what was found, `former` are the former symbols of genes, and `selection` finds the genes of a
run, and `listed` those of a list.
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
