"""MGI's reports, and its ontology."""

from sandbox.mgi.service import Mgi

__all__ = ["Mgi"]
