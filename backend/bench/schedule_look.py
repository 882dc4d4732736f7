"""Measures what idle workers cost PostgreSQL: `python -m bench schedule_look`.

Workers are alive and have nothing to do. 20 schedules are in the database and none is due. All
statements of the workers are counted in PostgreSQL's log, once with one worker and once with 20.
Each worker looks for due schedules and for their work with one statement a second; the table has
the numbers without this statement (before) and with it (after), and the time that PostgreSQL needed
to execute them.
"""

import time
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from bench._plant import Plant, plant
from bench._statements import Statement, logging_statements

WORKERS = (1, 20)
SECONDS = 30.0
SETTLE = 10.0
"""Seconds after the start of a worker, in which it takes no work from others."""

SCHEDULES = 20

LOOK = "FROM due_ticks"
"""What only the statement of the schedules has."""

_ADD = """
INSERT INTO schedules (name, kind, cron, action, options, next_at, by)
SELECT 's' || n, 'cron', '0 3 * * *',
  (ARRAY['refresh', 'backup', 'snapshot', 'export'])[n %% 4 + 1], '{}',
  now() + interval '1 day', 'bench'
FROM generate_series(1, %(count)s) n
"""


class _Cost(NamedTuple):
    """Of one second.

    Attributes:
        statements: that were executed.
        ms: milliseconds that they took.
    """

    statements: float
    ms: float


def _cost(found: list[Statement]) -> _Cost:
    executed = sum(each.executed for each in found)
    return _Cost(executed / SECONDS, sum(each.ms for each in found) / SECONDS)


def _measure(found: Plant) -> tuple[_Cost, _Cost]:
    """Return the cost of the workers without the look at the schedules, and with it."""
    time.sleep(SETTLE)
    with logging_statements(found.postgres) as statements:
        time.sleep(SECONDS)
    theirs = [each for each in statements if each.session.startswith("kidney-genetics arq")]
    return _cost([each for each in theirs if LOOK not in each.text]), _cost(theirs)


@click.command()
def main() -> None:
    """Measure what idle workers cost PostgreSQL, without and with the look at the schedules."""
    table = Table("workers", "", "statements/s", "a worker", "PostgreSQL ms/s", "a worker")
    with plant() as found:
        found.rows(_ADD, count=SCHEDULES)
        alive = 0
        for workers in WORKERS:
            for _ in range(workers - alive):
                found.ready_worker()
            alive = workers
            for when, cost in zip(("before", "after"), _measure(found), strict=True):
                table.add_row(
                    str(workers),
                    when,
                    f"{cost.statements:.1f}",
                    f"{cost.statements / workers:.2f}",
                    f"{cost.ms:.2f}",
                    f"{cost.ms / workers:.3f}",
                )
    Console().print(table)


if __name__ == "__main__":
    main()
