"""ClinVar: the classifications of each gene's variants, by API or from the bulk table."""

from app.annotation.sources.clinvar.source import ClinVar

__all__ = ["ClinVar"]
