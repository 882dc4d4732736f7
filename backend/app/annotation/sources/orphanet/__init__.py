"""Orphanet: the rare disorders with which each gene is associated."""

from app.annotation.sources.orphanet.source import Orphanet

__all__ = ["Orphanet"]
