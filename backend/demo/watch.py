"""Looks on while a run goes through its sources, as an operator does: over HTTP."""

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

PAUSE = 0.1
PLAIN_EVERY = 5.0


def follow(
    api: httpx.Client, run_id: int, console: Console, look: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Draw a bar for each source until the run has ended; return the run.

    Args:
        api: the project's API.
        run_id: the run.
        console: where to draw; plain lines when it is no terminal.
        look: called with every answer.
    """
    said = 0.0
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
            if bars and not console.is_terminal and time.monotonic() - said >= PLAIN_EVERY:
                said = time.monotonic()
                console.print("  " + _in_a_line(run))
            look(run)
            if run["state"] in {"succeeded", "failed", "cancelled"}:
                return run
            time.sleep(PAUSE)


def _in_a_line(run: dict[str, Any]) -> str:
    return ", ".join(
        f"{s['source']} {s['done']:,}/{s['total']:,}"
        for s in run["progress"]
        if s["total"] is not None
    )
