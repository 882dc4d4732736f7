"""Does the faults of a stream, and notes what they hit."""

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import psycopg
from redis.exceptions import RedisError

from services.postgres import NAME
from tests.reliability.soak import junk
from tests.reliability.soak.asker import Asker
from tests.reliability.soak.crew import Crew, Post
from tests.reliability.soak.stream import Fault

BAD_ANSWERS = (
    ("hgnc.fetch", "reset"),
    ("hgnc.fetch", "429"),
    ("hgnc.fetch", "truncated"),
    ("hgnc.fetch", "hang"),
    ("ensembl.lookup", "500"),
    ("ensembl.lookup", "invalid-json"),
    ("ensembl.lookup", "slow"),
    ("clinvar.esearch", "html"),
    ("clinvar.esummary", "raw-newline"),
    ("clinvar.esummary", "uid-error"),
    ("clinvar.variant_summary", "truncated"),
    ("clinvar.variant_summary", "reset"),
)
HOSTS = ("hgnc", "ensembl", "clinvar")

_KEPT = {"password", "redis.conf", "server.log"}
"""Of the files in Redis' folder, those that are not its data."""


@dataclass
class Hit:
    """A fault that occurred, and the runs that it affected. Times are Unix times in seconds.

    Attributes:
        kind: the name of the kind.
        on: the target: worker, redis, postgres, ...
        began: when the fault began.
        ended: when the fault ended, which equals `began` for an instantaneous fault.
        pid: the pid of the affected process.
        runs: the ids and epochs of the affected runs.
    """

    kind: str
    on: str
    began: float
    ended: float
    pid: int | None = None
    runs: list[tuple[int, int]] = field(default_factory=list)


class Havoc:
    """Causes faults.

    Attributes:
        hits: the faults that occurred, in order.
    """

    def __init__(self, crew: Crew, asker: Asker, say: Callable[[str], None]) -> None:
        self.hits: list[Hit] = []
        self._crew = crew
        self._asker = asker
        self._say = say
        self._servers = {"redis": asyncio.Lock(), "postgres": asyncio.Lock()}
        self.trace = crew.folder / "executed"
        self._does = {
            "worker": self._worker,
            "redis": self._redis,
            "postgres": self._postgres,
            "api": self._api,
            "upstream": self._upstream,
            "runs": self._cancel,
            "queue": self._junk,
        }

    async def do(self, fault: Fault) -> None:
        """Cause a fault and wait for its end, after the earlier faults of the same server."""
        async with self._servers.get(fault.kind.on, nullcontext()):
            await self._does[fault.kind.on](fault)

    @asynccontextmanager
    async def _hit(
        self, fault: Fault, whom: str = "", *, pid: int | None = None, states: tuple[str, ...] = ()
    ) -> AsyncIterator[Hit]:
        """Record a fault, and the affected runs: those in these states (of the worker `pid`)."""
        runs: list[tuple[int, int]] = []
        try:
            found = self._crew.rows(
                "SELECT r.id, r.epoch FROM runs r LEFT JOIN workers w ON w.id = r.worker_id"
                " WHERE r.state = ANY(%(states)s) AND (not_before IS NULL OR not_before <= now())"
                " AND (%(pid)s::int IS NULL OR w.pid = %(pid)s) ORDER BY r.id",
                states=list(states),
                pid=pid,
            )
            runs = [(row["id"], row["epoch"]) for row in found]
        except psycopg.OperationalError:
            # PostgreSQL is away: what this hits beside is not known
            pass
        began = time.time()
        hit = Hit(fault.kind.name, fault.kind.on, began, began, pid, runs)
        # not over yet
        hit.ended = float("inf")
        self.hits.append(hit)
        words = [fault.kind.name, whom and f"({whom})"]
        words += [f"for {fault.seconds:.1f} s"] if fault.seconds else []
        words += [f"hits run {', '.join(str(run_id) for run_id, _ in runs)}"] if runs else []
        self._say(" ".join(filter(None, words)))
        try:
            yield hit
        finally:
            hit.ended = time.time() if fault.seconds else began

    async def _worker(self, fault: Fault) -> None:
        post = self._crew.workers[fault.target]
        process = post.process
        async with self._hit(
            fault, f"{post.name}, pid {process.pid}", pid=process.pid, states=("running",)
        ):
            if fault.kind.name == "worker killed":
                post.doomed = True
                process.kill()
            elif fault.kind.name == "worker replaced":
                self._crew.replace(post)
            elif fault.kind.name == "worker stopped with two signals":
                post.doomed = True
                process.terminate()
                await asyncio.sleep(0.2)
                process.terminate()
            elif fault.kind.name == "worker cut off from PostgreSQL":
                self._crew.network.fall_silent()
                await self._over(fault, self._crew.network.speak)
            else:
                process.send_signal(signal.SIGSTOP)
                await self._over(fault, lambda: process.send_signal(signal.SIGCONT))

    async def _over(self, fault: Fault, end: Callable[[], object]) -> None:
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            end()

    async def _redis(self, fault: Fault) -> None:
        server = self._crew.redis_server
        async with self._hit(fault, states=("queued", "running")):
            if fault.kind.name in {"Redis wiped", "Redis frozen"}:
                redis = self._crew.redis()
                if fault.kind.name == "Redis wiped":
                    await redis.flushall()
                else:
                    # it takes what it is sent and answers nobody
                    await redis.client_pause(round(fault.seconds * 1_000))
                    await asyncio.sleep(fault.seconds)
                await redis.aclose(close_connection_pool=True)
                return
            await asyncio.to_thread(
                server.stop if fault.kind.name == "Redis stopped" else server.kill
            )
            if fault.kind.name == "Redis replaced by an empty one":
                for path in server.folder.iterdir():
                    if path.name not in _KEPT:
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
            await asyncio.sleep(fault.seconds)
            await asyncio.to_thread(server.start)

    async def _postgres(self, fault: Fault) -> None:
        server = self._crew.postgres
        async with self._hit(fault, states=("running",)):
            if fault.kind.name == "PostgreSQL crashed":
                await asyncio.to_thread(server.stop, "immediate")
                await asyncio.sleep(fault.seconds)
                await asyncio.to_thread(server.start)
            elif fault.kind.name == "PostgreSQL read-only":
                self._alter("ALTER SYSTEM SET default_transaction_read_only = on")
                await self._over(
                    fault, lambda: self._alter("ALTER SYSTEM RESET default_transaction_read_only")
                )
            else:
                self._alter(f"ALTER ROLE {NAME} CONNECTION LIMIT 0")
                self._alter(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    f" WHERE usename = '{NAME}'"
                )
                await self._over(
                    fault, lambda: self._alter(f"ALTER ROLE {NAME} CONNECTION LIMIT -1")
                )

    def _alter(self, statement: str) -> None:
        with psycopg.connect(self._crew.postgres.superuser_dsn, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(statement.encode())
            connection.execute("SELECT pg_reload_conf()")

    async def _api(self, fault: Fault) -> None:
        post: Post = self._crew.api_post
        async with self._hit(fault, f"pid {post.process.pid}", pid=post.process.pid):
            if fault.kind.name == "API killed":
                post.doomed = True
                post.process.kill()
            else:
                self._crew.replace(post)

    async def _upstream(self, fault: Fault) -> None:
        sandbox = self._crew.sandbox
        if fault.kind.name == "upstream down":
            host = HOSTS[fault.draw % len(HOSTS)]
            async with self._hit(fault, host):
                sandbox.fault(host, "503")
                await self._over(fault, sandbox.clear_faults)
        else:
            endpoint, kind = BAD_ANSWERS[fault.draw % len(BAD_ANSWERS)]
            times = 1 + fault.draw % 10
            async with self._hit(fault, f"{endpoint}: {kind}, {times} x"):
                sandbox.clear_faults()
                sandbox.fault(endpoint, kind, times=times)

    async def _cancel(self, fault: Fault) -> None:
        async with self._asker.alone:
            try:
                active = self._crew.rows(
                    "SELECT id FROM runs WHERE state IN ('queued', 'running') ORDER BY id"
                )
            except psycopg.OperationalError:
                return
            if not active:
                return
            run_id = active[fault.target % len(active)]["id"]
            async with self._hit(fault, f"run {run_id}"):
                if await self._ask("cancel", run_id):
                    await asyncio.sleep(fault.seconds)
                    for _ in range(20):
                        if await self._ask("retry", run_id):
                            break

    async def _ask(self, what: str, run_id: int) -> bool:
        done = await self._asker.post(f"/api/admin/runs/{run_id}/{what}")
        return bool(done or await self._asker.cli(what, "--json", str(run_id)))

    def _old_wake_up(self, draw: int) -> str:
        """Return the id of a wake-up for a run that has ended or does not exist."""
        ended = self._crew.rows(
            "SELECT id, epoch FROM runs WHERE state IN ('succeeded', 'failed') ORDER BY id"
        )
        run = ended[draw % len(ended)] if ended else {"id": 1_000_000, "epoch": 1}
        return f"{run['id']}:{run['epoch']}"

    async def _junk(self, fault: Fault) -> None:
        async with self._hit(fault):
            redis = self._crew.redis()
            try:
                await junk.put(redis, self.trace, self._old_wake_up(fault.draw))
            except (RedisError, OSError, psycopg.OperationalError):
                # it is away, and takes no junk either
                pass
            finally:
                await redis.aclose(close_connection_pool=True)
