"""The operators of a soak: they ask for runs, and look at what came of them."""

import asyncio
import json
import sys
from collections.abc import Callable
from random import Random

import httpx
import psycopg

from app.core.runs.operations import CREATING
from harness.timing import limit
from tests.plant import BACKEND
from tests.reliability.ledger import Ledger
from tests.reliability.soak.crew import Crew

SOURCES = ("hgnc", "ensembl", "clinvar")

PAUSE = (0.5, 4.0)
"""Seconds between two looks, at least and at most."""

LONGEST_WAIT = "5 s"
"""A run that waits for longer is brought forward: a minute's wait for an upstream is too long for
a soak of some minutes."""

_AWAY = (psycopg.OperationalError, psycopg.InternalError)

_AGE = """
UPDATE annotations SET checked_run_id = NULL, checked_origin_id = NULL,
  checked_at = now() - interval '1 year'
WHERE source = ANY(%(sources)s) AND gene_id %% 100 < %(percent)s
AND NOT EXISTS (
  SELECT FROM runs r JOIN run_sources s ON s.run_id = r.id
  WHERE s.source = ANY(%(sources)s) AND (s.active OR r.state = 'succeeded')
  AND NOT r.id = ANY(%(checked)s))
"""


class Asker:
    """Starts random runs through the API and the command line, and checks those that have ended.

    Attributes:
        alone: a lock that is held during a request. The fault that cancels and retries a run holds
            it too, so that no other run is created in between.
        lost: descriptions of lost answers.
    """

    def __init__(self, crew: Crew, random: Random, say: Callable[[str], None]) -> None:
        self.alone = asyncio.Lock()
        self.lost: list[str] = []
        self._crew = crew
        self._random = random
        self._say = say
        self._ledger = Ledger(crew.rows)
        self._checked: set[int] = set()

    async def ask_on(self) -> None:
        """Request runs until this task is cancelled."""
        while True:
            await asyncio.sleep(self._random.uniform(*PAUSE))
            mode = self._random.choice(("full", "full", "smart"))
            by_api, percent = self._random.random() < 0.5, self._random.choice((1, 2, 10, 40))
            async with self.alone:
                try:
                    self.check_ended()
                    sources = self._choose()
                    if sources == []:
                        continue
                    if mode == "smart":
                        self._age(sources, percent)
                except _AWAY:
                    continue
                asked = await self.post("/api/admin/runs", sources=sources, mode=mode)
                if not by_api or asked is None:
                    words = ["annotate", "--json", "--mode", mode, *(sources or [])]
                    asked = await self.cli(*words)
                if asked is not None:
                    names = ", ".join(sources or ["all sources"])
                    self._say(f"run {asked['id']} is {asked['state']}: {names}, {mode}")

    def check_ended(self) -> bool:
        """Check the runs that have ended since the last call; return whether all runs have ended.

        Raises:
            psycopg.OperationalError: PostgreSQL is unavailable.
        """
        self._bring_forward()
        runs = self._crew.rows(
            "SELECT id, state, mode, error FROM runs WHERE NOT id = ANY(%(checked)s) ORDER BY id",
            checked=sorted(self._checked),
        )
        for run in runs:
            if run["state"] == "succeeded":
                self._check(run["id"], 1 if run["mode"] == "smart" else run["id"])
            if run["state"] in {"succeeded", "failed"}:
                self._checked.add(run["id"])
                self._say(f"run {run['id']} {run['state']} {run['error'] or ''}")
        return all(run["state"] not in {"queued", "running"} for run in runs)

    def _check(self, run_id: int, since: int) -> None:
        for what, found in (
            ("genes are missing", self._ledger.missing(run_id, since=since)),
            ("miscounted", self._ledger.miscounted(run_id)),
        ):
            if found:
                self.lost.append(f"run {run_id}: {what}: {found}")

    def _choose(self) -> list[str] | None:
        """Choose some free sources, and sometimes any sources, which the API may refuse."""
        rows = self._crew.rows("SELECT source FROM run_sources WHERE active")
        busy = {row["source"] for row in rows}
        if self._random.random() < 0.1:
            busy = set()
        free = [source for source in SOURCES if source not in busy]
        # usually one source, so that several runs are in progress
        count = min(len(free), self._random.choice((1, 1, 1, 1, 1, 1, 2, 2, 3)))
        chosen = self._random.sample(free, count)
        return None if len(chosen) == len(SOURCES) else chosen

    def _age(self, sources: list[str] | None, percent: int) -> None:
        """Make annotations stale, unless a run covers the source or is still to be checked."""
        with psycopg.connect(self._crew.env["DATABASE_URL"], connect_timeout=5) as connection:
            connection.execute(
                f"SELECT pg_advisory_xact_lock('{CREATING.table}'::regclass::oid::int,"
                f" {CREATING.number})".encode()
            )
            values = {"sources": sources or list(SOURCES), "percent": percent}
            connection.execute(_AGE, values | {"checked": sorted(self._checked)})

    def _bring_forward(self) -> None:
        self._crew.rows(
            "UPDATE runs SET not_before = now() + %(longest)s::interval"
            " WHERE state = 'queued' AND not_before > now() + %(longest)s::interval",
            longest=LONGEST_WAIT,
        )

    async def post(self, path: str, **body: object) -> dict[str, object] | None:
        """Send a request to the API; return None if it is unavailable or refuses the request."""
        address = self._crew.address
        if address is None:
            return None
        token = {"Authorization": f"Bearer {self._crew.env['ADMIN_TOKEN']}"}
        try:
            async with httpx.AsyncClient(base_url=address, headers=token, timeout=15) as client:
                answer = await client.post(path, json=body or None)
        except httpx.TransportError:
            return None
        return answer.json() if answer.is_success else None

    async def cli(self, *words: str) -> dict[str, object] | None:
        """Run a command; return None if it fails."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.cli", *words),
            cwd=BACKEND,
            env=self._crew.env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with limit():
                out, _ = await process.communicate()
        except TimeoutError:
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return json.loads(out) if process.returncode == 0 else None
