"""PubMed: the articles about each gene, as NCBI's Gene database links them."""

from app.annotation.sources.pubmed.source import PubMed

__all__ = ["PubMed"]
