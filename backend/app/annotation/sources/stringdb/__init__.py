"""STRING: the proteins with which a gene's proteins form complexes."""

from app.annotation.sources.stringdb.source import StringDb

__all__ = ["StringDb"]
