"""Orphanet: the rare disorders with which each gene is associated."""
