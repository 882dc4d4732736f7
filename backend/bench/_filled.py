"""Fills a database by a run over all sources of the sandbox, to measure reads."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench._plant import Plant, plant


@contextmanager
def filled(genes: int) -> Iterator[Plant]:
    """Start the servers, the sandbox and a worker, and annotate this number of genes.

    The answers have the sizes of the sandbox's, which imitate the real ones. The run for 20,000
    genes takes one to two minutes.
    """
    with plant() as made:
        made.sandbox_process("--genes", str(genes), "--limits", "off", "--prepare")
        made.output("genes-import", "hgnc")
        made.ready_worker()
        made.output("annotate", "--wait", "--mode", "full")
        yield made
