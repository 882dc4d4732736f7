"""HPO: the phenotypes of the diseases that each gene causes."""

from app.annotation.sources.hpo.source import Hpo

__all__ = ["Hpo"]
