"""UniProt: the reviewed entries of each gene's proteins."""

from app.annotation.sources.uniprot.source import UniProt

__all__ = ["UniProt"]
