"""Measures the pages: `python -m bench pages`.

The first part reads each page several times, from a database with the answers of all sources about
all genes, and with runs. The second part counts what PostgreSQL does for the API while browsers
keep *Now* open during a run: none, one, and many.
"""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from statistics import median, quantiles

import click
import httpx
from rich.console import Console

from app.annotation.sources import SOURCES
from bench._made import change, fill
from bench._measured import machine, write
from bench._plant import Plant, plant
from bench._processor import process_cpu, server_cpu
from bench._readers import Client
from bench._statements import logging_statements
from bench.metrics import make_runs
from harness import Process
from harness.launcher import API_READY, address
from harness.waiting import until
from reference import markdown

TOKEN = "the-token-of-the-benchmark"  # noqa: S105 - of a server that ends with the measurement

ADDRESSES = (
    *("/", "/runs", "/runs/5", "/runs?state=failed", "/workers", "/schedules"),
    *("/sources", "/sources/clinvar", "/doctor"),
    *("/genes", "/genes?order=-clinvar.germline.pathogenic", "/genes?order=gnomad.loeuf"),
    "/genes?where=gnomad.loeuf%3C0.6&order=-gtex.kidney_cortex_tpm",
    *("/genes/HGNC:1", "/genes/HGNC:1/history"),
    *("/search/found?q=GENE12", "/changes?run=2", "/changes?run=2&source=clinvar"),
)
"""The pages to read."""

CHANGED = 0.2
"""The share of the genes whose answers run 2 changed."""

WATCHED = 6_000
"""The number of genes of the watched run."""

RATE = "2"
"""The requests a second of this run, few enough that it does not end meanwhile."""

REQUESTS = "kidney-genetics api requests"
"""The ``application_name`` of the API's PostgreSQL sessions for requests."""


@dataclass(frozen=True, slots=True)
class Load:
    """The cost of viewers, and what they received.

    Attributes:
        viewers: the number of browsers with *Now* open.
        statements: the number of SQL statements that the API sends in a second.
        postgres: the processor seconds of PostgreSQL in a second, including the run.
        api: the processor seconds of the API in a second.
        fewest: the minimum number of changes that a viewer received.
        errors: the number of streams that ended or failed.
    """

    viewers: int
    statements: float
    postgres: float
    api: float
    fewest: int
    errors: int


def log_in(api: str) -> str:
    """Return the cookie of an administrator."""
    with httpx.Client(base_url=api, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        answer = browser.post("/login", data={"token": TOKEN})
        assert answer.is_redirect, answer.text
        return answer.headers["set-cookie"].partition(";")[0]


@contextmanager
def serving(made: Plant, **env: str) -> Iterator[tuple[Process, str]]:
    """Start the API, and return its process and its address."""
    process = made.api_process(ADMIN_TOKEN=TOKEN, **env)
    process.says(API_READY)
    yield process, address(process)
    process.stop()


async def read_page(api: str, cookie: str, path: str, times: int) -> tuple[list[float], int]:
    """Return the seconds of each read of a page, and its bytes."""
    client = Client(api, {"Cookie": cookie, "Accept": "text/html"})
    seconds, size = [], 0
    # the first read compiles the template
    for _ in range(times + 1):
        began = time.perf_counter()
        status, answer = await client.ask("GET", path)
        seconds.append(time.perf_counter() - began)
        size = len(answer)
        assert status == 200, answer  # noqa: PLR2004 - HTTP's OK
    client.close()
    return seconds[1:], size


def first_page(api: str, cookie: str) -> int:
    """Return the transferred bytes of the first page with all its resources."""
    with httpx.Client(base_url=api, headers={"Cookie": cookie, "Accept": "text/html"}) as browser:
        page = browser.get("/")
        parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
        answers = [page, *(browser.get(path) for path in parts)]
    return sum(int(answer.headers["content-length"]) for answer in answers)


async def watch(api: str, cookie: str, viewers: int, seconds: float) -> tuple[int, int]:
    """Keep *Now* open. Return the minimum number of changes received, and the errors."""
    changes, errors = [0] * viewers, 0

    async def view(number: int) -> None:
        nonlocal errors
        client = Client(api, {"Cookie": cookie})
        try:
            async for line in client.stream("/live/now"):
                # an event ends with an empty line; the lines of chunked encoding end with CR LF
                changes[number] += line == b"\n"
        except (OSError, EOFError):
            errors += 1
        finally:
            client.close()

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(seconds))
            for number in range(viewers):
                group.create_task(view(number))
    return min(changes, default=0), errors


def load_of(made: Plant, api: Process, viewers: int, seconds: float) -> Load:
    """Measure the API and PostgreSQL while this number of browsers has *Now* open."""
    cookie = log_in(address(api))
    server = made.postgres.pid
    assert server is not None
    asyncio.run(watch(address(api), cookie, viewers, 2.0))
    with logging_statements(made.postgres) as found:
        asyncio.run(watch(address(api), cookie, viewers, seconds))
    cpu, api_cpu = server_cpu(server), process_cpu(api.pid)
    began = time.monotonic()
    fewest, errors = asyncio.run(watch(address(api), cookie, viewers, seconds))
    passed = time.monotonic() - began
    statements = sum(each.executed for each in found if each.session == REQUESTS)
    return Load(
        viewers=viewers,
        statements=statements / seconds,
        postgres=(server_cpu(server) - cpu) / passed,
        api=(process_cpu(api.pid) - api_cpu) / passed,
        fewest=fewest,
        errors=errors,
    )


def measure_pages(genes: int, runs: int, times: int) -> tuple[str, int, str]:
    """Return the table of the pages, the bytes of the first page, and what it ran on."""
    rows = []
    with plant() as made:
        facts = machine(made)
        fill(made.postgres.dsn, genes)
        change(made.postgres.dsn, CHANGED)
        make_runs(made, runs)
        with serving(made) as (process, api):
            cookie = log_in(api)
            for path in ADDRESSES:
                cpu = process_cpu(process.pid)
                seconds, size = asyncio.run(read_page(api, cookie, path, times))
                cpu = (process_cpu(process.pid) - cpu) / (times + 1)
                rows.append(
                    [
                        f"`{path}`",
                        f"{1000 * median(seconds):.0f} ms",
                        f"{1000 * quantiles(seconds, n=20)[-1]:.0f} ms",
                        f"{1000 * cpu:.0f} ms",
                        f"{size / 1_000:,.0f} kB",
                    ]
                )
            first = first_page(api, cookie)
    head = ["Page", "Median", "95th percentile", "Processor time of the API", "Size"]
    return markdown.table(head, rows), first, facts


def measure_viewers(genes: int, viewers: Sequence[int], seconds: float) -> list[Load]:
    """Measure each number of viewers during the same run."""
    with plant() as made:
        made.sandbox_process("--genes", str(genes), "--limits", "off")
        made.env["CLINVAR_BULK_THRESHOLD"] = "1000000"
        made.output("genes-import", "hgnc")
        made.worker(NCBI_RATE=RATE)
        with serving(made) as (process, _):
            run_id = made.annotate("clinvar")
            state = f"SELECT state FROM runs WHERE id = {run_id}"
            until(lambda: made.rows(state)[0]["state"] == "running")
            loads = [load_of(made, process, count, seconds) for count in viewers]
            assert made.rows(state)[0]["state"] == "running"
            return loads


@click.command()
@click.option("--genes", type=click.IntRange(1), default=20_000, show_default=True)
@click.option("--runs", type=click.IntRange(5), default=1_000, show_default=True)
@click.option("--times", type=click.IntRange(2), default=60, show_default=True)
@click.option("--viewers", type=click.IntRange(1), default=200, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=20.0, show_default=True)
def main(genes: int, runs: int, times: int, viewers: int, seconds: float) -> None:
    """Measure the pages, print tables and write them to the documentation."""
    console = Console(soft_wrap=True)
    pages, first, facts = measure_pages(genes, runs, times)
    console.print(pages)
    console.print(f"the first page: {first / 1_000:,.0f} kB")
    loads = measure_viewers(WATCHED, (0, 1, viewers), seconds)
    live = markdown.table(
        [
            *("Viewers", "Statements of the API a second", "Processor time of PostgreSQL a second"),
            *("of the API", "Changes sent to each", "Errors"),
        ],
        [
            [
                f"{load.viewers:,}",
                f"{load.statements:.1f}",
                f"{1000 * load.postgres:.0f} ms",
                f"{1000 * load.api:.0f} ms",
                f"{load.fewest:,}",
                f"{load.errors:,}",
            ]
            for load in loads
        ],
    )
    console.print(live)
    write(
        "pages",
        "How fast the pages are",
        f"{genes:,} genes with the answers of {len(SOURCES)} sources, and {runs:,} runs, of which"
        f" one changed the answers about {CHANGED * genes:,.0f} genes. Each page"
        f" was read {times} times over one connection. The time is the server's, without that of"
        " a browser:",
        pages,
        f"The first page takes {first / 1_000:,.0f} kB with all that it loads.",
        "## Viewers of a run",
        f"A worker executes a run of {WATCHED:,} genes and sends {RATE} requests a second. Each"
        f" viewer has *Now* open for {seconds:g} s:",
        live,
        "The statements were counted in PostgreSQL's log. The processor time was measured after"
        " that, without the log; that of PostgreSQL includes the run.",
        shows="how long the pages take, and what PostgreSQL does while many people watch a run",
        command="nox -s bench -- pages",
        facts=facts,
    )


if __name__ == "__main__":
    main()
