"""GenCC: how well gene-disease relationships are established, by submitter."""

from app.annotation.sources.gencc.source import Gencc

__all__ = ["Gencc"]
