"""Runs the whole pipeline: annotates thousands of genes, and kills a worker halfway."""

import os
import shlex
import shutil
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console

from app.core.errors import UserError
from app.core.process.exits import exit_on_user_error
from app.core.process.signals import handle_all
from demo import report
from demo.stage import TWENTY_GENES, Stage
from demo.watch import follow

FOLDER = Path(__file__).resolve().parents[2] / ".run" / "demo"
MANY_REQUESTS = 20
"""Sources that read files, or that fetch thousands of genes at once, send fewer requests."""


class Killer:
    """Kills the worker of the run once, when half of the genes of a source are done.

    It chooses a source with many requests, because a file is read too quickly for a kill halfway.
    """

    def __init__(self, stage: Stage, api: httpx.Client, console: Console) -> None:
        self.killed_at: datetime | None = None
        self._stage = stage
        self._api = api
        self._console = console

    def __call__(self, run: dict[str, Any]) -> None:
        """Kill the worker if the run has progressed far enough."""
        reached = [
            source
            for source in run["progress"]
            if source["requests"] >= MANY_REQUESTS and source["total"] / 2 <= source["done"]
        ]
        if self.killed_at or not reached:
            return
        source = reached[0]
        status = self._api.get("/api/admin/worker-status").raise_for_status().json()
        pids = [w["pid"] for w in status["workers"] if w["alive"] and run["id"] in w["runs"]]
        for worker in self._stage.workers:
            if worker.pid in pids:
                self.killed_at = datetime.now(UTC)
                os.kill(worker.pid, signal.SIGKILL)
                self._console.print(
                    f"[red]  killed {worker.name} (pid {worker.pid}) with SIGKILL after"
                    f" {source['done']:,} of {source['total']:,} genes of {source['source']}[/red]"
                )


@click.command()
@click.option("--genes", default=5_000, show_default=True, help="Number of genes in the sandbox.")
@click.option(
    "--live",
    is_flag=True,
    envvar="LIVE",
    help="Annotate twenty genes from the real services.",
)
@click.option(
    "--keep",
    is_flag=True,
    envvar="KEEP",
    help="Keep everything running at the end, and print the address of the run's page.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    help="Folder of the servers' data and the logs.",
)
def main(genes: int, folder: Path, *, live: bool, keep: bool) -> None:
    """Run the whole annotation pipeline on this machine, and kill a worker halfway."""
    console = Console()
    # all termination signals act like Ctrl-C, so that all processes are stopped
    handle_all(signal.default_int_handler)
    folder.mkdir(parents=True, exist_ok=True)
    for data in ("postgres", "redis", "cache"):
        shutil.rmtree(folder / data, ignore_errors=True)
    began = time.monotonic()
    try:
        with Stage(folder, live=live, sandbox=("--genes", str(genes))) as stage:
            run_id, ok = _play(stage, console)
            took = time.monotonic() - began
            if keep:
                _keep(stage, run_id, console)
    except KeyboardInterrupt:
        console.print("stopped; all processes of the demo have ended")
        sys.exit(130)
    except (click.ClickException, UserError):
        console.print(f"[red]the demo failed; the logs are in {folder}[/red]")
        raise
    console.print(f"All processes of the demo have ended. It took {took:.0f} s.\n")
    console.print("Next: [b]make hybrid-up[/b]                 start PostgreSQL and Redis")
    console.print("      [b]make migrate[/b]                   create the tables, once")
    console.print(
        "      [b]make worker[/b]                    start a worker; docs/tutorial.md explains it"
    )
    sys.exit(0 if ok else 1)


def _play(stage: Stage, console: Console) -> tuple[int, bool]:
    """Run the demo; return the id of the run, and whether it succeeded without losing a gene."""
    servers = "PostgreSQL and Redis" if stage.live else "PostgreSQL, Redis and the sandbox"
    console.print(f"{servers} are running")
    stage.output("migrate")
    stage.output("genes-import", str(TWENTY_GENES) if stage.live else "hgnc")
    api = stage.start_api()
    for _ in range(2):
        stage.start_worker()
    console.print("one API and two workers are running; annotating from all sources")
    answer = api.post("/api/admin/runs", json={"sources": None, "mode": "smart"})
    run_id = answer.raise_for_status().json()["id"]
    killer = Killer(stage, api, console)
    run = follow(api, run_id, console, killer)
    stats, again = None, None
    if stage.sandbox_url is not None:
        stats, again = report.fetched_again(api, stage.sandbox_url)
    report.table(run, stats, console)
    if killer.killed_at is not None:
        seconds = report.recovery_time(stage.database_url, run_id, killer.killed_at)
        if seconds is not None:
            console.print(f"recovery time after the kill: [b]{seconds:.1f} s[/b]")
    lost = report.lost_genes(stage.database_url, run_id)
    console.print(f"genes lost: [b]{lost}[/b]")
    if again is not None:
        console.print(
            f"genes fetched again: [b]{again:,}[/b], as the killed worker had not committed them"
        )
    if run["error"]:
        console.print(f"[red]{run['error']}[/red]")
    return run_id, run["state"] == "succeeded" and lost == 0


def _keep(stage: Stage, run_id: int, console: Console) -> None:
    """Wait for Ctrl-C, so that the user can visit the pages."""
    settings = stage.write_settings()
    with suppress(KeyboardInterrupt):
        console.print(
            f"The page of the run: [b]{stage.api_address}/runs/{run_id}[/b]\n"
            f"Log in there with the token [b]{stage.token}[/b]\n"
            "To use the commands that the pages show, first run this in another terminal:\n"
            f"  . {shlex.quote(str(settings))}\n"
            "Everything keeps running until Ctrl-C.",
            soft_wrap=True,
        )
        signal.pause()
    settings.unlink()
    console.print("stopping")


if __name__ == "__main__":
    with exit_on_user_error():
        main()
