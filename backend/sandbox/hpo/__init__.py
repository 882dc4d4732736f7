"""HPO's files, as its releases at GitHub have them."""

from sandbox.hpo.service import Hpo

__all__ = ["Hpo"]
