"""Measures the use of a service's rate, and its refusals: `python -m bench rate`.

The service allows a number of requests in any second, counted as they arrive. One process and then
several processes send requests to it as fast as their request budget in a real Redis allows. Each
process uses the whole client: limiter, retries and HTTP. With `--load N`, N other processes keep
the processors busy meanwhile.

This table compares limiters alone, with plain httpx: 10 requests a second on two cores, 4 callers
in each process, 30 s, November 2026. The columns are the share of the rate that was used, and the
share of the requests that were answered 429. The 429 of RedisRateLimiter are slots that passed
while the first connection was opened; the whole client reserves another slot then.

====================================  ================  ================
library                               1 process         4 processes
====================================  ================  ================
throttled-py 3.5, GCRA, no burst      49 %     0 %      54 %     0.6 %
pyrate-limiter 4.5, 10 in 1 s         96 %     0.3 %    94 %     3.7 %
pyrate-limiter 4.5, 10 in 1.035 s     93 %     0 %      93 %     3.5 %
limits 5.8, moving window             96 %     5.6 %    89 %     11.8 %
RedisRateLimiter                      97 %     0.3 %    97 %     0.3 %
====================================  ================  ================
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from app.annotation.upstream import Host, Upstream, new_http_client
from app.core.redis.rate_limits import RedisRateLimiter
from services.redis import running_redis

CALLERS = 4
LATENCY = 0.02
HIGHEST_REFUSED = 0.001
LOWEST_USED = 0.93
REDIS_URL = "BENCH_REDIS_URL"


@dataclass
class Service:
    """A service that answers 429 to requests beyond `rate` in any second."""

    rate: int
    started: float | None = None
    served: list[float] = field(default_factory=list)
    refused: int = 0
    _recent: deque[float] = field(default_factory=deque)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        # at the end this task is cancelled, which asyncio would report as an error
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                status = self._arrived(time.monotonic())
                await asyncio.sleep(LATENCY)
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\nok" % status)
                await writer.drain()
        writer.close()

    def _arrived(self, now: float) -> bytes:
        self.started = self.started or now
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.rate:
            self.refused += 1
            return b"429 Too Many Requests\r\nRetry-After: 1"
        self._recent.append(now)
        self.served.append(now - self.started)
        return b"200 OK"


async def work(url: str, rate: float) -> None:
    """Send requests to the service continuously, like a worker process."""
    async with Redis.from_url(os.environ[REDIS_URL]) as redis, new_http_client() as http:
        limiter = RedisRateLimiter(redis)
        upstream = Upstream(
            Host(name="bench", title="", url=url, setting="", rate=rate, concurrency=CALLERS),
            base_url=url,
            limiter=limiter,
            http=http,
        )

        async def ask() -> None:
            while True:
                await upstream.request("GET", "answer", decode=bytes)

        async with asyncio.TaskGroup() as callers:
            for _ in range(CALLERS):
                callers.create_task(ask())


async def measure(redis_url: str, rate: int, workers: int, seconds: float) -> Service:
    """Let processes send requests for some seconds, counted from the first request."""
    service = Service(rate)
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    command = [sys.executable, "-m", "bench.rate", "--ask", url, "--rate", str(rate)]
    environment = {**os.environ, REDIS_URL: redis_url}
    processes = [
        await asyncio.create_subprocess_exec(*command, env=environment) for _ in range(workers)
    ]
    try:
        async with asyncio.timeout(60):
            while service.started is None:  # noqa: ASYNC110 # only at the start
                await asyncio.sleep(0.05)
        await asyncio.sleep(service.started + seconds - time.monotonic())
    finally:
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))
        server.close()
    return service


async def bench(rate: int, workers: Sequence[int], seconds: float) -> bool:
    """Measure and print each number of workers. Return whether all are within the limits."""
    table = Table(title=f"{rate} requests/s allowed, {seconds:g} s")
    for column in ("workers", "requests", "rate used", "answered 429", "share of 429"):
        table.add_column(column, justify="right")
    good = True
    with tempfile.TemporaryDirectory() as folder, running_redis(Path(folder)) as server:
        for count in workers:
            async with Redis.from_url(server.url) as redis:
                await redis.flushall()
            service = await measure(server.url, rate, count, seconds)
            within = sum(moment < seconds for moment in service.served)
            used = within / (seconds * rate)
            refused = service.refused / (len(service.served) + service.refused)
            good = good and used >= LOWEST_USED and refused <= HIGHEST_REFUSED
            cells = (count, within, f"{used:.1%}", service.refused, f"{refused:.2%}")
            table.add_row(*map(str, cells))
    Console().print(table)
    return good


async def loaded(count: int) -> list[asyncio.subprocess.Process]:
    """Start processes that only use processor time."""
    busy = [sys.executable, "-c", "while True: pass"]
    return [await asyncio.create_subprocess_exec(*busy) for _ in range(count)]


async def compare(arguments: argparse.Namespace) -> bool:
    """Measure, with busy processors if `--load` is given."""
    load = await loaded(arguments.load)
    try:
        return await bench(arguments.rate, arguments.workers, arguments.seconds)
    finally:
        for process in load:
            process.kill()
            await process.wait()


def main() -> None:
    """Run the benchmark; exit with 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--rate", type=int, default=10)
    parser.add_argument("--load", type=int, default=0)
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ask:
        asyncio.run(work(arguments.ask, arguments.rate))
    elif not asyncio.run(compare(arguments)):
        sys.exit(1)


if __name__ == "__main__":
    main()
