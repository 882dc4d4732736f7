"""Measures reads: `python -m bench read`.

It fills a database from the sandbox and measures, one after the other:

- a query of 1,000 identifiers, and one gene with all sources, by one client
- a full run of all sources alone, and the same run while 200 clients read for a minute. Of ten
  reads of a client, nine are a gene with all sources, and one is a page of 20 genes.

Clients, API, worker, sandbox and servers share the machine.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from statistics import median

import click
from rich.console import Console

from bench._filled import filled
from bench._measured import machine, write
from bench._plant import Plant
from bench._readers import Client, Reads, read_for
from harness.launcher import API_READY, address
from harness.waiting import until
from reference import markdown

REPEATED = 20
"""The number of measurements of a query."""


async def measure_queries(api: str, symbols: Sequence[str]) -> dict[str, tuple[float, int]]:
    """Return the median of the seconds, and the bytes, of each kind of read."""
    client = Client(api)
    thousand = [*symbols[:1_000]]
    kinds = {
        "query of 1,000 identifiers, all sources": {"q": thousand},
        "query of 1,000 identifiers, two sources": {"q": thousand, "sources": "clinvar,gnomad"},
        "query of 1,000 identifiers, three fields": {
            "q": thousand,
            "fields": "clinvar.germline.pathogenic,gnomad.pli,gtex.kidney_cortex_tpm",
        },
    }
    found = {}
    for kind, body in kinds.items():
        found[kind] = await _median(client, "POST", ["/api/genes/query"], json.dumps(body).encode())
    paths = [f"/api/genes/{symbol}" for symbol in symbols]
    found["one gene, all sources"] = await _median(client, "GET", paths)
    client.close()
    return found


async def _median(
    client: Client, method: str, paths: Sequence[str], body: bytes = b""
) -> tuple[float, int]:
    seconds, size = [], 0
    times = max(REPEATED, min(len(paths), 20 * REPEATED))
    for number in range(times):
        began = time.perf_counter()
        status, answer = await client.ask(method, paths[number % len(paths)], body)
        seconds.append(time.perf_counter() - began)
        size = len(answer)
        assert status == 200, answer  # noqa: PLR2004 - HTTP's OK
    return median(seconds), size


def run_beside(made: Plant, api: str, paths: Sequence[str], clients: int, seconds: float) -> Reads:
    """Let clients read while a full run is executed, and wait for its end."""
    run_id = made.annotate("--mode", "full")
    state = f"SELECT state FROM runs WHERE id = {run_id}"
    until(lambda: made.rows(state)[0]["state"] == "running")
    reads = asyncio.run(read_for(api, paths, clients=clients, seconds=seconds))
    until(lambda: made.rows(state)[0]["state"] == "succeeded", seconds=3_600)
    return reads


def last_run(made: Plant) -> float:
    """Return the seconds of the last run."""
    (run,) = made.rows(
        "SELECT extract(epoch FROM finished_at - started_at)::float AS seconds FROM runs"
        " ORDER BY id DESC LIMIT 1"
    )
    seconds: float = run["seconds"]
    return seconds


@click.command()
@click.option("--genes", type=click.IntRange(1_000), default=20_000, show_default=True)
@click.option("--clients", type=click.IntRange(1), default=200, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=60.0, show_default=True)
def main(genes: int, clients: int, seconds: float) -> None:
    """Measure reads, print a table and write it to the documentation."""
    console = Console(soft_wrap=True)
    with filled(genes) as made:
        facts = machine(made)
        api_process = made.api_process()
        api_process.says(API_READY)
        api = address(api_process)
        symbols = [row["symbol"] for row in made.rows("SELECT symbol FROM genes ORDER BY id")]
        rows = [
            [kind, f"{1000 * took:.1f} ms", f"{size / 1_000:,.0f} KB"]
            for kind, (took, size) in asyncio.run(measure_queries(api, symbols)).items()
        ]
        queries = markdown.table(["Read", "Median", "Size"], rows)
        console.print(queries)
        # nine genes, and a page
        paths = [
            f"/api/genes?limit=20&after={number}" if number % 10 == 0 else f"/api/genes/{symbol}"
            for number, symbol in enumerate(symbols)
        ]
        made.output("annotate", "--wait", "--mode", "full")
        alone = last_run(made)
        reads = run_beside(made, api, paths, clients, seconds)
        beside = last_run(made)
        many = markdown.table(
            ["What", "Result"],
            [
                ["full run alone", f"{alone:.1f} s"],
                ["full run beside the clients", f"{beside:.1f} s ({beside / alone:.2f} times)"],
                ["reads", f"{len(reads.seconds):,}"],
                ["errors", f"{len(reads.errors):,} {', '.join(sorted(set(reads.errors))[:3])}"],
                ["median", f"{1000 * reads.median:.0f} ms"],
                ["99th percentile", f"{1000 * reads.p99:.0f} ms"],
            ],
        )
        console.print(many)
    write(
        "read",
        "How fast genes are read",
        f"One client, {genes:,} genes:",
        queries,
        f"{clients} clients that read for {seconds:.0f} s, each with a pause of 1 s after every"
        f" answer, during a full run of {genes:,} genes and all sources:",
        many,
        shows="how long reads of the API take, also while a run is active",
        command="nox -s bench -- read",
        facts=facts,
    )


if __name__ == "__main__":
    main()
