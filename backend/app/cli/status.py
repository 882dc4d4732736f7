from collections.abc import Sequence

import click
from rich.console import Console

from app.cli.output import (
    as_json,
    cells,
    duration,
    local_time,
    start_command,
    stdout,
    table,
    write_json,
)
from app.cli.session import Session, in_session
from app.core.config import Settings
from app.core.workers.views import Worker, WorkerStatus, worker_status

_CODE = {
    "older": "older code than this checkout",
    "newer": "newer code than this checkout",
    "other": "other code than this checkout",
}


@click.command()
@click.option("--budgets", is_flag=True, help="Also show the use of the request budgets.")
@as_json
def status(*, budgets: bool, as_json: bool) -> None:
    """Show the workers and the queued runs."""
    if not budgets:
        found, arq = in_session(_read)
        write_json(found) if as_json else _show(found, arq=arq)
        return
    from app.cli import budgets as with_budgets

    known, arq = with_budgets.read_status()
    if as_json:
        write_json(known)
    else:
        _show(known, arq=arq)
        with_budgets.show(stdout(), known.budgets)


async def _read(session: Session) -> tuple[WorkerStatus, bool]:
    arq = session.settings.use_arq_worker
    arq_health = await _arq_health(session.settings) if arq else None
    async with session.db.connect() as connection:
        return await worker_status(connection, arq_health=arq_health), arq


def _show(found: WorkerStatus, *, arq: bool) -> None:
    console = stdout()
    _show_workers(console, found.workers)
    if not any(worker.alive for worker in found.workers):
        console.print(f"no worker is alive; to start one: {start_command(arq=arq)}")
    console.print(_queue(found), soft_wrap=True)
    if found.waiting:
        waiting = table("run", "since", "waits for", "not before")
        for run in found.waiting:
            waiting.add_row(
                *cells(
                    run.run,
                    duration(run.age),
                    run.waiting_for or "a free worker",
                    local_time(run.not_before),
                )
            )
        console.print(waiting)
    if arq:
        console.print(f"arq's health line: {found.arq_health or 'none'}", soft_wrap=True)


async def _arq_health(settings: Settings) -> str | None:
    from app.core.redis.health_line import fetch_health_line

    return await fetch_health_line(settings.redis_url.get_secret_value())


def _queue(found: WorkerStatus) -> str:
    if not found.queue_depth:
        return "no run is queued"
    runs = "run is" if found.queue_depth == 1 else "runs are"
    oldest = duration(found.oldest_waiting)
    return f"{found.queue_depth} {runs} queued; the oldest has been waiting for {oldest}"


def _show_workers(console: Console, workers: Sequence[Worker]) -> None:
    if workers:
        shown = table("worker", "kind", "host", "pid", "alive", "last heartbeat", "slots", "runs")
        for worker in workers:
            shown.add_row(
                *cells(
                    worker.id,
                    worker.kind,
                    worker.host,
                    worker.pid,
                    "yes" if worker.alive else "no",
                    f"{duration(worker.heartbeat_age)} ago",
                    worker.slots or "-",
                    ", ".join(map(str, worker.runs)) or "-",
                )
            )
        console.print(shown)
    for worker in workers:
        if worker.alive and worker.code != "same":
            console.print(f"worker {worker.id} runs {_CODE[worker.code]}: {worker.version}")
