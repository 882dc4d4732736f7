"""Measures the changes between two moments: `python -m bench changes`.

All sources' answers have changed for a tenth of the genes. The benchmark measures the seconds to
the first and the last line over HTTP in each format, and for a page, a gene and a run; the peak
memory of the API; the lag of its event loop; and the seconds of the command.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click
import httpx
import psutil
from rich.console import Console
from rich.table import Table

from bench._made import RUN, change, fill
from bench._plant import Plant, plant
from bench.pipeline import sampled
from harness.launcher import API_READY, address

PERIOD = "from=before&to=after"

CALLS = {
    "all changes, JSON lines": f"{PERIOD}&format=jsonl",
    "all changes, table": f"{PERIOD}&format=tsv",
    "all changes, with fields that move": f"{PERIOD}&format=jsonl&moving=true",
    "changes of a run": f"run={RUN}&format=jsonl",
    "changes of a source": f"{PERIOD}&source=clinvar&format=jsonl",
    "the first page": PERIOD,
    "the changes of a gene": f"{PERIOD}&gene=GENE100",
}


def _call(client: httpx.Client, query: str) -> tuple[float, float, int, int]:
    """Return the seconds to the first and the last part, the bytes, and the lines."""
    start = time.monotonic()
    first, size, lines = None, 0, 0
    with client.stream("GET", f"/api/changes?{query}") as answer:
        answer.raise_for_status()
        for part in answer.iter_bytes():
            first = first or time.monotonic() - start
            size += len(part)
            lines += part.count(b"\n")
    return first or 0.0, time.monotonic() - start, size, lines


@dataclass
class Waited:
    """The maximum latency of other requests in milliseconds, and their number."""

    longest: float = 0.0
    number: int = 0


@contextmanager
def _others(url: str) -> Iterator[Waited]:
    """Send other requests to the API continuously while the block runs."""
    waited, stop = Waited(), threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not stop.wait(0.02):
                start = time.monotonic()
                client.get("/health/live").raise_for_status()
                waited.longest = max(waited.longest, 1_000 * (time.monotonic() - start))
                waited.number += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield waited
    finally:
        stop.set()
        thread.join()


def measure(console: Console, made: Plant) -> None:
    """Request the changes in all ways and print the results."""
    api = made.api_process()
    api.says(API_READY)
    table = Table("what", "first s", "last s", "MB", "lines")
    with httpx.Client(base_url=address(api), timeout=600) as client, sampled(api.pid) as peaks:
        client.get("/health/ready")
        before = psutil.Process(api.pid).memory_info().rss / 1024**2
        for name, query in CALLS.items():
            first, last, size, lines = _call(client, query)
            table.add_row(name, f"{first:.2f}", f"{last:.2f}", f"{size / 1e6:.1f}", f"{lines:,}")
        with _others(address(api)) as waited:
            _call(client, CALLS["all changes, JSON lines"])
    start = time.monotonic()
    made.output("changes", "--from", "before", "--to", "after")
    table.add_row("just changes, text", "", f"{time.monotonic() - start:.2f}", "", "")
    console.print(table)
    console.print(f"memory of the API: {before:.0f} MB before, at most {peaks.worker:.0f} MB")
    console.print(
        f"{waited.number:,} others during a stream: the slowest took {waited.longest:.0f} ms"
    )


@click.command()
@click.option("--genes", type=int, default=20_000, show_default=True)
@click.option("--share", type=float, default=0.1, show_default=True)
def main(genes: int, share: float) -> None:
    """Measure the changes between two moments."""
    console = Console(width=110)
    with plant() as made:
        fill(made.postgres.dsn, genes)
        made.rows(_SNAPSHOT, name="before")
        change(made.postgres.dsn, share)
        made.rows(_SNAPSHOT, name="after")
        measure(console, made)


_SNAPSHOT = """
INSERT INTO snapshots (name, at, by, manifest) VALUES (%(name)s, clock_timestamp(), 'bench', '{}')
RETURNING name
"""
