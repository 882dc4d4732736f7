"""Measures what traces cost a run: `python -m bench tracing`.

Workers execute full runs of all sources against the sandbox, one after the other, with and without
traces. `--before` adds runs of a checkout without tracing. Each round has one run of each kind, and
the order alternates between rounds, so that other load affects all kinds equally. On a busy
machine, processor time is more reliable than elapsed time.
"""

import statistics
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from rich.console import Console
from rich.table import Table

from bench._measured import machine, write
from bench._plant import Plant, plant
from bench._processor import process_cpu
from reference import markdown

BEFORE, OFF, ON = "before", "off", "on"

_MEANINGS = {
    BEFORE: "before there were traces",
    OFF: "traces off",
    ON: "traces on",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a run.

    Attributes:
        seconds: the seconds from the first claim to the end.
        cpu: the processor seconds of the worker during the run.
    """

    seconds: float
    cpu: float


class Collector:
    """Receives traces and counts their spans.

    Attributes:
        address: the value for `OTEL_EXPORTER_OTLP_ENDPOINT`.
        bodies: the bodies of the requests so far.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.bodies: list[bytes] = []

    def spans(self) -> int:
        """Return the number of spans so far."""
        requests = (ExportTraceServiceRequest.FromString(decompress(body)) for body in self.bodies)
        return sum(
            len(scope.spans)
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
        )


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            # decoded after the measurement
            collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield collector
        server.shutdown()


def measure(made: Plant, env: Mapping[str, str], checkout: Path | None) -> Cost:
    """Execute a full run with a new worker."""
    made.place = ("env", "-C", str(checkout / "backend")) if checkout else ()
    made.env |= env
    worker = made.ready_worker()
    made.place = ()
    cpu = process_cpu(worker.pid)
    made.output("annotate", "--wait", "--mode", "full")
    cpu = process_cpu(worker.pid) - cpu
    worker.stop()
    (run,) = made.rows(
        "SELECT state, extract(epoch FROM finished_at - started_at)::float AS seconds FROM runs"
        " ORDER BY id DESC LIMIT 1"
    )
    assert run["state"] == "succeeded"
    return Cost(run["seconds"], cpu)


def rows(costs: Mapping[str, list[Cost]]) -> list[list[str]]:
    """Return a row for each kind, compared with traces off in the same round."""
    found = []
    for kind, runs in costs.items():
        pairs = list(zip(runs, costs[OFF], strict=True))
        time = statistics.median(mine.seconds / off.seconds for mine, off in pairs)
        cpu = statistics.median(mine.cpu / off.cpu for mine, off in pairs)
        found.append(
            [
                _MEANINGS[kind],
                f"{statistics.median(run.seconds for run in runs):.2f}",
                f"{min(e.seconds for e in runs):.2f} to {max(e.seconds for e in runs):.2f}",
                f"{time:.3f}",
                f"{statistics.median(run.cpu for run in runs):.2f}",
                f"{cpu:.3f}",
            ]
        )
    return found


@click.command()
@click.option("--genes", type=click.IntRange(1), default=2_000, show_default=True)
@click.option("--rounds", type=click.IntRange(2), default=6, show_default=True)
@click.option(
    "--before",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A checkout of a version without traces, to be compared as well.",
)
def main(genes: int, rounds: int, before: Path | None) -> None:
    """Measure runs with and without traces, print a table and write it to the documentation."""
    console = Console(soft_wrap=True)
    costs: defaultdict[str, list[Cost]] = defaultdict(list)
    with plant() as made, collecting() as collector:
        facts = machine(made)
        made.sandbox_process("--genes", str(genes), "--limits", "off", "--prepare")
        made.output("genes-import", "hgnc")
        kinds: dict[str, tuple[str, Path | None]] = {
            **({BEFORE: ("", before.resolve())} if before else {}),
            OFF: ("", None),
            ON: (collector.address, None),
        }
        # not measured: only the first run downloads and stores everything
        measure(made, {}, None)
        for number in range(rounds):
            for kind in list(kinds)[:: 1 if number % 2 == 0 else -1]:
                address, checkout = kinds[kind]
                cost = measure(made, {"OTEL_EXPORTER_OTLP_ENDPOINT": address}, checkout)
                costs[kind].append(cost)
                console.print(f"{_MEANINGS[kind]}: {cost.seconds:.2f} s, {cost.cpu:.2f} s of CPU")
        spans = collector.spans() // rounds
    ordered = {kind: costs[kind] for kind in kinds}
    head = ["", "seconds", "of all rounds", "ratio", "processor seconds", "ratio"]
    table = Table(*head)
    for row in rows(ordered):
        table.add_row(*row)
    console.print(table)
    write(
        "tracing",
        "The cost of traces",
        f"Full runs of all sources over {genes:,} genes against the sandbox, without limits of the"
        f" services: {rounds} rounds, each with a run of each kind. A run with traces sends"
        f" {spans:,} spans. Seconds are medians. A ratio is the median over the rounds, compared"
        " with traces off in the same round. Processor seconds are those of the worker.",
        markdown.table(head, rows(ordered)),
        shows="how much longer a run takes with traces",
        command="nox -s bench -- tracing" + (" --before CHECKOUT" if before else ""),
        facts=facts,
    )


if __name__ == "__main__":
    main()
