"""Measures what heartbeats and recovery cost PostgreSQL: `python -m bench watch`.

Once a second, each worker writes its heartbeat, checks that it still has its runs, does a recovery
pass for runs of dead workers and missing wake-ups, and polls for due schedules. The benchmark
starts real workers without runs, and adds schedules that are not due. First, it counts their
statements in PostgreSQL's log. Logging costs more than the statements, so it is then disabled to
measure the transactions (`pg_stat_database`) and the processor time of the server's processes
(operating system).
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench._measured import machine, write
from bench._plant import Plant, plant
from bench._processor import process_cpu, server_cpu
from bench._statements import Statement, logging_statements
from harness import Process
from reference import markdown

SETTLING = 6.0
"""Seconds after the start of a worker in which it sends more statements than later."""

SCHEDULES = 20
"""The number of schedules in the database. None is due."""

_ADD_SCHEDULES = """
INSERT INTO schedules (name, kind, cron, action, options, next_at, by)
SELECT 's' || n, 'cron', '0 3 * * *',
  (ARRAY['refresh', 'backup', 'snapshot', 'export'])[n %% 4 + 1], '{}',
  now() + interval '1 day', 'bench'
FROM generate_series(1, %(count)s) n
"""

_SCHEDULES = "find due schedules"

_PURPOSES = {
    "UPDATE workers SET heartbeat_at = clock_timestamp() WHERE": "correct heartbeats in the future",
    "UPDATE workers SET heartbeat_at": "heartbeat",
    "SELECT id, epoch FROM runs WHERE worker_id": "check that the worker still owns its runs",
    "WITH corrected AS": "end the sessions of frozen workers",
    "WITH dead AS": "queue the runs of dead workers again",
    "UPDATE runs SET wake_up_sent_at": "wake-ups to send",
    "SELECT EXISTS (SELECT FROM due_ticks)": _SCHEDULES,
    ";": "is the pooled connection still open",
}
"""The purpose of a statement, by its beginning (see `app/core/workers`); the first match counts."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a number of workers, per second.

    Attributes:
        workers: the number of workers.
        statements: the number of statements, by purpose.
        ms: the milliseconds of one statement, by purpose.
        transactions: the number of transactions in `pg_stat_database`.
        cpu: the processor seconds of all processes of PostgreSQL.
        worker_cpu: the processor seconds of one worker, on average.
    """

    workers: int
    statements: dict[str, float]
    ms: dict[str, float]
    transactions: float
    cpu: float
    worker_cpu: float

    @property
    def total(self) -> float:
        """The number of statements of all purposes."""
        return sum(self.statements.values())

    @property
    def without_schedules(self) -> float:
        """The number of statements without those for schedules."""
        return self.total - self.statements.get(_SCHEDULES, 0.0)


def purpose(text: str) -> str:
    """Return the purpose of a statement, or its beginning if the purpose is not known."""
    return next((word for begin, word in _PURPOSES.items() if text.startswith(begin)), text[:40])


def by_purpose(
    found: Sequence[Statement], seconds: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the statements per second and the milliseconds of one statement, both by purpose."""
    counts: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    for statement in found:
        what = purpose(statement.text)
        counts[what] += statement.executed
        spent[what] += statement.ms  # type: ignore[assignment] # a Counter adds floats as well
    rates = {what: count / seconds for what, count in counts.items()}
    return rates, {what: spent[what] / max(count, 1) for what, count in counts.items()}


def measure(plant: Plant, workers: Sequence[Process], seconds: float) -> Cost:
    """Measure the workers, first with the statement log and then without it."""
    time.sleep(SETTLING)
    with logging_statements(plant.postgres) as found:
        time.sleep(seconds)
    rates, ms = by_purpose([each for each in found if each.session != ""], seconds)
    server = plant.postgres.pid
    assert server is not None
    pids = [worker.pid for worker in workers]
    transactions = _transactions(plant)
    cpu, worker_cpu = server_cpu(server), sum(map(process_cpu, pids))
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    cpu, worker_cpu = server_cpu(server) - cpu, sum(map(process_cpu, pids)) - worker_cpu
    # after the second reading of the processor time, because this query itself takes some
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
    # in another database, so that this query is not counted
    with psycopg.connect(plant.postgres.superuser_dsn) as connection:
        row = connection.execute(
            "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database WHERE datname = %s",
            [psycopg.conninfo.conninfo_to_dict(plant.postgres.dsn)["dbname"]],
        ).fetchone()
    assert row is not None
    return float(row[0])


def _statement(cost: Cost, what: str) -> str:
    rate = cost.statements.get(what)
    return "none" if not rate else f"{rate:.2f}, {cost.ms[what]:.2f} ms each"


def rows(costs: Sequence[Cost]) -> list[list[str]]:
    """Return the rows of the table, with a column for each number of workers."""
    known = [what for what in _PURPOSES.values() if any(what in cost.statements for cost in costs)]
    others = sorted({what for cost in costs for what in cost.statements} - set(known))
    lines = [[what, *(_statement(cost, what) for cost in costs)] for what in known + others]
    return [
        *lines,
        ["**all statements**", *(f"{cost.total:.1f}" for cost in costs)],
        [
            "all statements except that of the schedules",
            *(f"{cost.without_schedules:.1f}" for cost in costs),
        ],
        ["transactions (`pg_stat_database`)", *(f"{cost.transactions:.1f}" for cost in costs)],
        ["**processor seconds of PostgreSQL**", *(f"{cost.cpu:.4f}" for cost in costs)],
        ["processor seconds of one worker", *(f"{cost.worker_cpu:.4f}" for cost in costs)],
    ]


@click.command()
@click.option("--seconds", type=click.FloatRange(1), default=30.0, show_default=True)
@click.option("--workers", type=click.IntRange(1), multiple=True, default=(1, 20))
def main(seconds: float, workers: Sequence[int]) -> None:
    """Measure each number of workers, print a table and write it to the documentation."""
    console = Console(soft_wrap=True)
    costs = []
    with plant() as made:
        facts = machine(made)
        made.rows(_ADD_SCHEDULES, count=SCHEDULES)
        alive: list[Process] = []
        for count in (0, *sorted(workers)):
            while len(alive) < count:
                alive.append(made.ready_worker())
            console.print(f"workers alive: {count}")
            costs.append(measure(made, alive, seconds))
    head = ["per second, with this many workers:", *(str(cost.workers) for cost in costs)]
    table = Table(*head)
    body = rows(costs)
    for row in body:
        table.add_row(*(cell.strip("*") for cell in row))
    console.print(table)
    written = write(
        "watch",
        "The cost of heartbeats and recovery",
        f"Idle workers were measured for {seconds:g} s. There are {SCHEDULES} schedules, and none"
        " is due. Statements are counted in PostgreSQL's log"
        " (`log_min_duration_statement = 0`). Transactions and processor time are measured after"
        " that, without the log.",
        markdown.table(head, body),
        shows="what the heartbeats, recovery passes and schedule checks of idle workers cost"
        " PostgreSQL",
        command="nox -s bench -- watch",
        facts=facts,
    )
    console.print(f"written to {written}")
