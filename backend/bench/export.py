"""Measures exports: `python -m bench export`.

For each number of genes, the benchmark generates answers of all sources and exports them in each
format. It measures the seconds of the whole command, and the peak memory of the command and of its
child process, which reads the answers and writes the file.
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import click
import psutil
from rich.console import Console

from app.annotation.data.export.formats import FORMATS
from bench._made import change, fill
from bench._measured import machine, write
from bench._plant import Plant, plant
from harness import BACKEND
from harness.launcher import API_READY, address
from reference import markdown

_MB = 1024**2
_CHILD = "app.annotation.data.export.child"

CHANGED = 0.1
"""The share of genes whose answers have a former version."""


@dataclass
class Measured:
    """An export.

    Attributes:
        seconds: the duration of the whole command, in seconds.
        processor: seconds of processor time of both processes, without PostgreSQL's.
        process: peak memory of the process that exports, in MB.
        command: peak memory of the command that started it, in MB.
        size: the size of the file, in bytes.
    """

    seconds: float
    processor: float
    process: float
    command: float
    size: int


def measure(made: Plant, name: str, *arguments: str) -> Measured:
    """Export to a file with the command line.

    Raises:
        CalledProcessError: the export failed.
    """
    file = made.folder / f"export.{name}"
    command = [sys.executable, "-m", "app.cli", "export", "--output", str(file), *arguments]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=BACKEND, env=made.env)  # noqa: S603 - our own program
    peaks, processor = [0.0, 0.0], 0.0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        children = _processes(watched)
        for place, found in enumerate((children, [watched])):
            peaks[place] = max(peaks[place], *map(_peak, found), 0.0)
        processor = max(processor, sum(map(_processor, [*children, watched])))
        time.sleep(0.02)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Measured(seconds, processor, peaks[0], peaks[1], file.stat().st_size)


def _processes(parent: psutil.Process) -> list[psutil.Process]:
    try:
        # right after a fork, a child still has the command line of its parent
        return [each for each in parent.children() if _CHILD in each.cmdline()]
    except psutil.Error:
        return []


def _peak(process: psutil.Process) -> float:
    """Return the peak memory of a process in MB (Linux)."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _processor(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def over_http(made: Plant, query: str) -> tuple[float, float]:
    """Return the seconds until the first and the last byte of an export over HTTP."""
    api = made.api_process()
    api.says(API_READY)
    began = time.perf_counter()
    with urlopen(f"{address(api)}/api/export?{query}") as answer:  # noqa: S310 - our own program
        answer.read(1)
        first = time.perf_counter() - began
        while answer.read(_MB):
            pass
    last = time.perf_counter() - began
    api.stop()
    return first, last


@click.command()
@click.option("--genes", type=int, multiple=True, default=(20_000,), show_default=True)
def main(genes: tuple[int, ...]) -> None:
    """Measure exports of all sources in all formats."""
    console = Console(width=110)
    parts = []
    for number in genes:
        with plant() as made:
            facts = machine(made)
            fill(made.env["DATABASE_URL"], number)
            (then,) = made.rows("SELECT clock_timestamp() AS at")
            change(made.env["DATABASE_URL"], CHANGED)
            past = ("--as-of", then["at"].isoformat())
            kinds: list[tuple[str, str, tuple[str, ...]]] = [(name, name, ()) for name in FORMATS]
            kinds += [("parquet of a past moment", "parquet", past)]
            rows = []
            for kind, name, arguments in kinds:
                done = measure(made, name, *arguments)
                rows.append(
                    [
                        kind,
                        f"{done.seconds:.1f} s",
                        f"{done.processor:.1f} s",
                        f"{done.process:.0f} MB",
                        f"{done.command:.0f} MB",
                        f"{done.size / 1e6:,.0f} MB",
                    ]
                )
                console.print(" | ".join(rows[-1]))
            first, last = over_http(made, "format=tsv")
        head = (
            "Export",
            "Time",
            "Processor time",
            "Memory of the process",
            "Memory of the command",
            "File",
        )
        parts += [
            f"{number:,} genes and all sources, to a file:",
            markdown.table(head, rows),
            "The processor time does not include PostgreSQL's.",
            f"TSV over HTTP: first byte after {first:.1f} s, last one after {last:.1f} s.",
        ]
    write(
        "export",
        "How fast all annotations are exported",
        *parts,
        shows="how long exports take, and how much memory",
        command="nox -s bench -- export",
        facts=facts,
    )


if __name__ == "__main__":
    main()
