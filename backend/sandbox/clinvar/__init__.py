"""ClinVar: NCBI's E-utilities and ClinVar's bulk files."""

from sandbox.clinvar.service import ClinVar

__all__ = ["ClinVar"]
