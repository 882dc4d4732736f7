"""Shows the progress of a run, which it reads over HTTP."""

import time
from collections.abc import Callable
from typing import Any

import httpx
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

POLL_SECONDS = 0.1

LINE_SECONDS = 5.0
"""Seconds between two lines of progress if the output is not a terminal."""


def follow(
    api: httpx.Client, run_id: int, console: Console, observe: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Draw a progress bar for each source until the run has ended, and return the run.

    Args:
        api: the project's API.
        run_id: the run.
        console: the output. If it is not a terminal, it gets plain lines.
        observe: called with the run each time that it is read.
    """
    last_line_at = 0.0
    bars: dict[str, TaskID] = {}
    with Progress(
        TextColumn("  {task.description:<8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("genes"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        while True:
            run: dict[str, Any] = api.get(f"/api/admin/runs/{run_id}").raise_for_status().json()
            for source in run["progress"]:
                name = source["source"]
                if source["total"] is not None:
                    if name not in bars:
                        bars[name] = progress.add_task(name, total=source["total"])
                    progress.update(bars[name], total=source["total"], completed=source["done"])
            if bars and not console.is_terminal and time.monotonic() - last_line_at >= LINE_SECONDS:
                last_line_at = time.monotonic()
                console.print("  " + _in_a_line(run))
            observe(run)
            if run["state"] in {"succeeded", "failed", "cancelled"}:
                return run
            time.sleep(POLL_SECONDS)


def _in_a_line(run: dict[str, Any]) -> str:
    begun = [source for source in run["progress"] if source["total"] is not None]
    open_ones = [s for s in begun if s["done"] < s["total"]]
    counts = [f"{s['source']} {s['done']:,}/{s['total']:,}" for s in open_ones]
    ended = len(begun) - len(open_ones)
    return ", ".join([f"{ended} of {len(run['progress'])} sources done", *counts])
