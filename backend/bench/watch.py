"""What it costs PostgreSQL that workers watch over each other: `python -m bench watch`.

Each worker says once a second that it is alive, looks whether its own runs are still its own, looks
for runs whose worker has died, and for bells to ring. Real workers, without any run, are counted
for a while: their statements by PostgreSQL's own log; then, without that log, which costs more
than the statements do, the transactions by `pg_stat_database` and the processor time of the
server's processes by the operating system.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import click
import psutil
import psycopg
from rich.console import Console
from rich.table import Table

from bench._measured import machine, write
from bench._plant import Plant, plant
from bench._statements import Statement, logging_statements
from demo.stage import Process
from reference import markdown

SETTLING = 6.0
"""Seconds after a start in which more is asked than later."""

_PURPOSES = {
    "UPDATE workers SET heartbeat_at": "heartbeat",
    "SELECT id, epoch FROM runs WHERE worker_id": "are my runs still mine",
    "SELECT pg_terminate_backend": "end the sessions of frozen workers",
    "WITH alive AS": "take the runs of dead workers",
    "UPDATE runs r SET rung_at": "bells to ring",
}
"""What a statement is for, by its beginning (see `app/core/workers`)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What so many workers cost, per second.

    Attributes:
        workers: how many.
        statements: by purpose.
        ms: milliseconds of a statement, by purpose.
        transactions: by `pg_stat_database`.
        cpu: processor seconds of all processes of PostgreSQL.
        worker_cpu: of one worker, on average.
    """

    workers: int
    statements: dict[str, float]
    ms: dict[str, float]
    transactions: float
    cpu: float
    worker_cpu: float

    @property
    def total(self) -> float:
        """Statements of all purposes."""
        return sum(self.statements.values())


def purpose(text: str) -> str:
    """Say what a statement is for; its beginning if that is not known."""
    return next((word for begin, word in _PURPOSES.items() if text.startswith(begin)), text[:40])


def by_purpose(
    found: Sequence[Statement], seconds: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the statements a second, and the milliseconds of one, by purpose."""
    counts: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    for statement in found:
        what = purpose(statement.text)
        counts[what] += statement.executed
        spent[what] += statement.ms  # type: ignore[assignment] # a Counter adds floats as well
    rates = {what: count / seconds for what, count in counts.items()}
    return rates, {what: spent[what] / max(count, 1) for what, count in counts.items()}


def measure(plant: Plant, workers: Sequence[Process], seconds: float) -> Cost:
    """Watch the workers that there are, with the log of statements and then without."""
    time.sleep(SETTLING)
    with logging_statements(plant.postgres) as found:
        time.sleep(seconds)
    rates, ms = by_purpose([each for each in found if each.session != ""], seconds)
    server = plant.postgres.pid
    assert server is not None
    pids = [worker.popen.pid for worker in workers]
    transactions = _transactions(plant)
    cpu, worker_cpu = _server_cpu(server), sum(map(_cpu, pids))
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    cpu, worker_cpu = _server_cpu(server) - cpu, sum(map(_cpu, pids)) - worker_cpu
    # outside of the two readings of the processor time, as it costs some
    transactions = _transactions(plant) - transactions
    return Cost(
        workers=len(workers),
        statements=rates,
        ms=ms,
        transactions=transactions / passed,
        cpu=cpu / passed,
        worker_cpu=worker_cpu / passed / max(len(workers), 1),
    )


def _transactions(plant: Plant) -> float:
    # as the superuser, in another database: this query is not among what it counts
    with psycopg.connect(plant.postgres.superuser_dsn) as connection:
        row = connection.execute(
            "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database WHERE datname = %s",
            [psycopg.conninfo.conninfo_to_dict(plant.postgres.dsn)["dbname"]],
        ).fetchone()
    assert row is not None
    return float(row[0])


def _server_cpu(pid: int) -> float:
    """Return the processor seconds of the server, its processes and those that have ended."""
    server = psutil.Process(pid)
    while True:
        times = server.cpu_times()
        own = times.user + times.system + times.children_user + times.children_system
        # one that ends in between is in neither of the two
        with contextlib.suppress(psutil.NoSuchProcess):
            return float(own + sum(_cpu(child.pid) for child in server.children()))


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _statement(cost: Cost, what: str) -> str:
    rate = cost.statements.get(what)
    return "none" if not rate else f"{rate:.2f}, {cost.ms[what]:.2f} ms each"


def rows(costs: Sequence[Cost]) -> list[list[str]]:
    """Put the numbers of workers side by side."""
    known = [what for what in _PURPOSES.values() if any(what in cost.statements for cost in costs)]
    others = sorted({what for cost in costs for what in cost.statements} - set(known))
    lines = [[what, *(_statement(cost, what) for cost in costs)] for what in known + others]
    return [
        *lines,
        ["**statements in all**", *(f"{cost.total:.1f}" for cost in costs)],
        ["transactions (`pg_stat_database`)", *(f"{cost.transactions:.1f}" for cost in costs)],
        ["**PostgreSQL's processor seconds**", *(f"{cost.cpu:.4f}" for cost in costs)],
        ["processor seconds of one worker", *(f"{cost.worker_cpu:.4f}" for cost in costs)],
    ]


@click.command()
@click.option("--seconds", type=click.FloatRange(1), default=30.0, show_default=True)
@click.option("--workers", type=click.IntRange(1), multiple=True, default=(1, 20))
def main(seconds: float, workers: Sequence[int]) -> None:
    """Measure each number of workers, print a table and write it."""
    console = Console(soft_wrap=True)
    costs = []
    with plant() as made:
        facts = machine(made)
        alive: list[Process] = []
        for count in (0, *sorted(workers)):
            while len(alive) < count:
                alive.append(made.worker())
            console.print(f"workers alive: {count}")
            costs.append(measure(made, alive, seconds))
    head = ["per second, with workers:", *(str(cost.workers) for cost in costs)]
    table = Table(*head)
    body = rows(costs)
    for row in body:
        table.add_row(*(cell.strip("*") for cell in row))
    console.print(table)
    written = write(
        "watch",
        "What it costs PostgreSQL that workers watch over each other",
        f"Idle workers, {seconds:g} s of each. Statements are counted by PostgreSQL's own log"
        " (`log_min_duration_statement = 0`); transactions and processor time after that, without"
        " it.",
        markdown.table(head, body),
        question="what many idle workers cost the database",
        command="nox -s bench -- watch",
        facts=facts,
    )
    console.print(f"written to {written}")
