"""Genes with answers that take a while to export."""

from collections.abc import Callable
from typing import Any

_GENES = """
INSERT INTO genes (hgnc_id, symbol) SELECT 'HGNC:' || n, 'GENE' || n FROM generate_series(1, %s) n
"""

_ANSWERS = """
INSERT INTO annotations (gene_id, source, state, data, release, fetched_at, checked_state)
SELECT id, 'hgnc', 'found',
  jsonb_build_object('hgnc_id', hgnc_id, 'symbol', symbol, 'name', repeat('name of a gene ', 700)),
  'July', now(), 'found'
FROM genes
"""


def add_large_answers(query: Callable[..., Any], genes: int = 4_000) -> None:
    """Add genes with answers of 10 KB each."""
    query(_GENES, genes)
    query(_ANSWERS)
