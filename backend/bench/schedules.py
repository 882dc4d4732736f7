"""Measures how late the ticks of schedules are: `python -m bench schedules`.

1,000 schedules become due one after the other, 20 a second. 3 workers are alive. Every 5 seconds
one of them gets SIGKILL, and a new one replaces it. The delay of a tick is the time from when it
was due until its outcome was decided, by PostgreSQL's clock. At the end, each schedule has one
outcome of one tick: no tick was lost or executed twice.
"""

import os
import signal
import statistics
import time
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bench._plant import Plant, plant

SCHEDULES = 1_000
PER_SECOND = 20
WORKERS = 3
BETWEEN_KILLS = 5.0
MAX_WAIT = 120.0

_ADD = """
INSERT INTO schedules (name, kind, every, sources, next_at, by)
SELECT 's' || n, 'release', 1e8, ARRAY['hgnc'],
  clock_timestamp() + interval '5 s' + make_interval(secs => n::float8 / %(rate)s), 'bench'
FROM generate_series(1, %(count)s) n
"""

_DELAYS = """
SELECT schedule_id, extract(epoch FROM at - tick)::float8 AS delay, outcome FROM schedule_ticks
ORDER BY schedule_id
"""


def _late(found: Plant) -> list[dict[str, Any]]:
    workers = [found.ready_worker() for _ in range(WORKERS)]
    found.rows(_ADD, rate=float(PER_SECOND), count=SCHEDULES)
    end = time.monotonic() + SCHEDULES / PER_SECOND + MAX_WAIT
    while time.monotonic() < end:
        time.sleep(BETWEEN_KILLS)
        ticks = found.rows(_DELAYS)
        if len(ticks) >= SCHEDULES:
            return ticks
        dead = workers.pop(0)
        os.kill(dead.pid, signal.SIGKILL)
        workers.append(found.ready_worker())
    raise click.ClickException(f"only {len(ticks)} of {SCHEDULES} ticks were done")


@click.command()
def main() -> None:
    """Measure how late ticks are, while workers are killed."""
    with plant() as found:
        # without genes, every run would be refused
        found.rows("INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:9008', 'PKD1')")
        ticks = _late(found)
    delays = sorted(tick["delay"] for tick in ticks)
    lost = SCHEDULES - len({tick["schedule_id"] for tick in ticks})
    twice = len(ticks) - SCHEDULES + lost
    table = Table("median", "p99", "longest", "lost", "twice", "outcomes")
    table.add_row(
        f"{statistics.median(delays):.2f} s",
        f"{delays[int(len(delays) * 0.99)]:.2f} s",
        f"{delays[-1]:.2f} s",
        str(lost),
        str(twice),
        ", ".join(sorted({tick["outcome"] for tick in ticks})),
    )
    Console().print(table)


if __name__ == "__main__":
    main()
