"""Measures runs over all sources against the sandbox: `python -m bench pipeline`.

For each number of genes: a full run of all sources, a smart run without changes, and with `--alone`
a full run of each source separately. The benchmark measures the seconds, the requests, and the peak
memory of the worker and of the largest process that reads a file.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import click
import psutil
from rich.console import Console
from rich.table import Table

from bench._plant import Plant, plant

_MB = 1024**2


@dataclass
class Peaks:
    """The peak memory while it was sampled, in MB.

    Attributes:
        worker: the peak memory of the worker.
        reader: the peak memory of the largest process that the worker started.
    """

    worker: float = 0.0
    reader: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def sample(self, worker: psutil.Process) -> None:
        """Sample a worker and the processes that it starts, until :meth:`stop`."""
        while not self._stop.wait(0.1):
            with contextlib.suppress(psutil.Error):
                self.worker = max(self.worker, worker.memory_info().rss / _MB)
                for child in worker.children():
                    self.reader = max(self.reader, child.memory_info().rss / _MB)

    def stop(self) -> None:
        """End the sampling."""
        self._stop.set()


@contextlib.contextmanager
def sampled(pid: int) -> Iterator[Peaks]:
    """Sample the memory of a process and of its children in a block."""
    peaks = Peaks()
    thread = threading.Thread(target=peaks.sample, args=(psutil.Process(pid),))
    thread.start()
    try:
        yield peaks
    finally:
        peaks.stop()
        thread.join()


def _run(made: Plant, *arguments: str) -> tuple[float, list[dict[str, Any]]]:
    """Execute a run, and return its seconds and sources."""
    made.output("annotate", "--wait", *arguments)
    (run,) = made.rows(
        "SELECT id, extract(epoch FROM finished_at - started_at)::float AS seconds FROM runs"
        " ORDER BY id DESC LIMIT 1"
    )
    sources = made.rows(
        "SELECT source, done, found, absent, unknown, confirmed, requests,"
        " extract(epoch FROM finished_at - started_at)::float AS seconds"
        f" FROM run_sources WHERE run_id = {run['id']} ORDER BY position"
    )
    return run["seconds"], sources


def measure(console: Console, genes: int, limits: str, *, alone: bool) -> None:
    """Measure with one number of genes, and print the results."""
    with plant() as made:
        made.sandbox_process("--genes", str(genes), "--limits", limits, "--prepare")
        made.output("genes-import", "hgnc")
        worker = made.ready_worker()
        with sampled(worker.pid) as peaks:
            seconds, sources = _run(made, "--mode", "full")
        console.print(
            f"{genes:,} genes, all sources, full: {seconds:.1f} s; worker {peaks.worker:.0f} MB,"
            f" largest reader {peaks.reader:.0f} MB"
        )
        again, unchanged = _run(made)
        console.print(
            f"{genes:,} genes, all sources, smart, nothing changed: {again:.1f} s; at most"
            f" {max(each['requests'] for each in unchanged)} requests a source"
        )
        by_itself = {}
        for each in sources if alone else ():
            by_itself[each["source"]], _ = _run(made, each["source"], "--mode", "full")
        if by_itself:
            slowest = max(by_itself, key=lambda name: by_itself[name])
            console.print(
                f"slowest source alone: {slowest}, {by_itself[slowest]:.1f} s;"
                f" all of them together take {seconds / by_itself[slowest]:.2f} times as long"
            )
    columns = ("source", "found", "absent", "unknown", "requests", "s", "s alone", "requests again")
    table = Table(*columns)
    for each, later in zip(sources, unchanged, strict=True):
        name = each["source"]
        numbers = [each["found"], each["absent"], each["unknown"], each["requests"]]
        table.add_row(
            name,
            *(f"{number:,}" for number in numbers),
            f"{each['seconds']:.1f}",
            f"{by_itself[name]:.1f}" if name in by_itself else "-",
            str(later["requests"]),
        )
    console.print(table)


@click.command()
@click.option("--genes", type=int, multiple=True, default=(5_000,), show_default=True)
@click.option("--limits", type=click.Choice(["off", "real"]), default="off", show_default=True)
@click.option("--alone", is_flag=True, help="Also run each source separately.")
def main(genes: tuple[int, ...], limits: str, *, alone: bool) -> None:
    """Measure runs over all sources against the sandbox."""
    console = Console(width=110)
    for gene in genes:
        measure(console, gene, limits, alone=alone)


if __name__ == "__main__":
    main()
