"""A database that a run over all sources of the sandbox has filled, for measurements of reading."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench._plant import Plant, plant


@contextmanager
def filled(genes: int) -> Iterator[Plant]:
    """Start the servers, the sandbox and a worker, and annotate this number of genes.

    The answers are as large as the sandbox makes them, which imitates the real sources. The run of
    20,000 genes takes one to two minutes.
    """
    with plant() as made:
        made.sandbox_process("--genes", str(genes), "--limits", "off", "--prepare")
        made.output("genes-import", "hgnc")
        made.ready_worker()
        made.output("annotate", "--wait", "--mode", "full")
        yield made
