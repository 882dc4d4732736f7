"""ClinGen: the validity of gene-disease relationships, and the dosage sensitivity of genes."""

from app.annotation.sources.clingen.source import ClinGen

__all__ = ["ClinGen"]
