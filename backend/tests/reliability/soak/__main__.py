"""``python -m tests.reliability.soak``: minutes of random faults, and nothing may be lost."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
import psycopg
from rich.console import Console
from sqlalchemy import create_engine

from app.annotation.settings import Settings
from app.db import migrate
from app.db.engine import psycopg_url
from harness.timing import limit
from sandbox.options import Options
from sandbox.server import Sandbox
from services.postgres import running_postgres
from services.redis import running_redis
from tests.reliability.ledger import WATCH
from tests.reliability.soak.asker import Asker
from tests.reliability.soak.crew import Crew, Network
from tests.reliability.soak.faults import Havoc
from tests.reliability.soak.reckoning import Reckoning, reckon
from tests.reliability.soak.stream import stream
from tests.reliability.soak.table import show

GENES = 20_000
WORKERS = 3
RATES = {"hgnc": 250.0, "ensembl": 5.0, "ncbi": 10.0}
"""Requests a second: a full run takes a minute or more, which is long enough to be hit."""

SETTLE = 600.0
"""Seconds that the runs get to come to their ends once there are no more faults."""


@click.command(help=__doc__)
@click.option("--minutes", type=click.FloatRange(min=0.1), default=10.0, show_default=True)
@click.option("--seed", type=int, help="Of the faults; the same one gives the same faults.")
@click.option("--keep", is_flag=True, help="Keep the logs and the data, though all went well.")
def main(minutes: float, seed: int | None, *, keep: bool) -> None:
    """Run the soak and print its results. The exit status is 1 if answers were lost or doubled."""
    # like a Ctrl-C: whatever was started is ended
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # in a log nothing is cut short
    console = Console(width=None if sys.stdout.isatty() else 120)
    seed = random.randrange(1_000_000) if seed is None else seed
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    console.print(f"seed {seed}, {minutes:g} minutes; logs in {folder}", highlight=False)
    try:
        with _crew(folder) as crew:
            reckoning = asyncio.run(_soak(crew, console, seed, minutes * 60))
            show(reckoning, console)
            executed = (crew.folder / "executed").exists()
    except KeyboardInterrupt:
        console.print("stopped; all processes of the soak have ended")
        shutil.rmtree(folder)
        sys.exit(130)
    if executed:
        console.print("the pickle in the queue was executed")
    if reckoning.lost or reckoning.doubled or executed:
        sys.exit(1)
    if not (keep or reckoning.unasked or reckoning.false_rescues):
        shutil.rmtree(folder)


@contextmanager
def _crew(folder: Path) -> Iterator[Crew]:
    """Start the servers and processes, and stop them at the end."""
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres(folder / "postgres"))
        redis = stack.enter_context(running_redis(folder / "redis"))
        options = Options(genes=GENES, variants_per_gene=5, limits="off", rates=RATES)
        sandbox = stack.enter_context(Sandbox(options))
        sandbox.prepare()
        _fill(postgres.dsn, sandbox)
        network = stack.enter_context(Network(postgres.dsn))
        ours = {name.upper() for name in Settings.model_fields}
        env = {name: value for name, value in os.environ.items() if name.upper() not in ours}
        env |= sandbox.settings | {
            "DATABASE_URL": postgres.dsn,
            "REDIS_URL": redis.url,
            "USE_ARQ_WORKER": "true",
            "ADMIN_TOKEN": "a-token-of-the-soak",
            "CACHE_DIR": str(folder / "cache"),
            "HGNC_BULK_THRESHOLD": "1000000",
            "UPSTREAM_BACKOFF": "0.1",
            "UPSTREAM_TIMEOUT": "5",
            "RUN_BACKOFF_BASE": "1",
            "RUN_BACKOFF_CAP": "5",
        }
        logs = folder / "logs"
        logs.mkdir()
        crew = Crew(env, sandbox, logs, postgres=postgres, redis=redis, network=network)
        stack.callback(crew.end)
        yield crew


def _fill(dsn: str, sandbox: Sandbox) -> None:
    """Create the tables, import the sandbox's genes, and record all writes."""
    engine = create_engine(psycopg_url(dsn))
    with engine.begin() as connection:
        migrate.upgrade(connection)
    engine.dispose()
    with psycopg.connect(dsn) as connection:
        connection.execute(WATCH)
        cursor = connection.cursor()
        columns = "hgnc_id, symbol, ensembl_gene_id, entrez_id"
        with cursor.copy(f"COPY genes ({columns}) FROM STDIN") as copy:
            for gene in sandbox.catalogue.genes:
                copy.write_row((gene.hgnc_id, gene.symbol, gene.ensembl_gene_id, gene.entrez_id))


async def _soak(crew: Crew, console: Console, seed: int, seconds: float) -> Reckoning:
    await crew.all_ready()
    began = time.monotonic()

    def say(words: str) -> None:
        line = f"{time.monotonic() - began:7.1f}  {words}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    asker = Asker(crew, random.Random(f"asker of {seed}"), say)
    havoc = Havoc(crew, asker, say)
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(crew.look_after())
        asking = group.create_task(asker.ask_on())
        async with asyncio.TaskGroup() as faults:
            for fault in stream(seed, seconds, workers=WORKERS):
                await asyncio.sleep(began + fault.at - time.monotonic())
                faults.create_task(havoc.do(fault))
            await asyncio.sleep(began + seconds - time.monotonic())
        asking.cancel()
        say("no more faults, and no more runs are asked for")
        crew.sandbox.clear_faults()
        await crew.all_ready()
        with contextlib.suppress(TimeoutError):
            async with limit(SETTLE):
                while not asker.check_ended():
                    await asyncio.sleep(0.5)
        say("settled")
        looking.cancel()
    return reckon(crew, havoc.hits, asker.lost)


if __name__ == "__main__":
    main()
