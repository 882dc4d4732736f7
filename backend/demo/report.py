"""Computes and prints the results of the demo."""

from datetime import datetime
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table


def lost_genes(database_url: str, run_id: int) -> int:
    """Count the genes that lack an answer from at least one source of the run."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT count(DISTINCT g.id) FROM genes g JOIN run_sources s ON s.run_id = %(run)s"
            " LEFT JOIN annotations a ON a.gene_id = g.id AND a.source = s.source"
            " AND a.checked_run_id = s.run_id WHERE a.gene_id IS NULL",
            {"run": run_id},
        ).fetchone()
    assert row is not None
    return int(row[0])


def recovery_time(database_url: str, run_id: int, killed_at: datetime) -> float | None:
    """Return the seconds from the kill to the takeover by another worker, or None."""
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        row = connection.execute(
            "SELECT min(at) AS at FROM run_events WHERE run_id = %s AND event = 'taken over'"
            " AND at > %s",
            (run_id, killed_at),
        ).fetchone()
    return (row["at"] - killed_at).total_seconds() if row and row["at"] else None


def table(run: dict[str, Any], stats: dict[str, Any] | None, console: Console) -> None:
    """Print the result of each source.

    Args:
        run: the run, as the API returns it.
        stats: the sandbox's counts of requests, or None if there is no sandbox.
        console: the output.
    """
    result = Table(title=f"Run {run['id']}: {run['state']}")
    columns = ("source", "genes", "found", "absent", "unknown", "upstream requests", "seconds")
    for name in columns:
        result.add_column(name, justify="left" if name == "source" else "right")
    for source in run["progress"]:
        name = source["source"]
        requests = source["requests"]
        if stats is not None:
            requests = sum(n for key, n in stats["requests"].items() if key.startswith(name))
        seconds = _seconds(source["started_at"], source["finished_at"])
        result.add_row(
            name,
            *(f"{source[key]:,}" for key in ("done", "found", "absent", "unknown")),
            f"{requests:,}",
            f"{seconds:.1f}",
        )
    console.print(result)


def fetched_again(api: httpx.Client, sandbox_url: str) -> tuple[dict[str, Any], int]:
    """Return the sandbox's counts of requests, and the number of genes fetched more than once."""
    stats: dict[str, Any] = api.get(f"{sandbox_url}/_sandbox/stats").raise_for_status().json()
    return stats, sum(count["again"] for count in stats["genes"].values())


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
