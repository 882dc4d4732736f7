"""Answers that are streamed from the API's own process, to clients who leave or read slowly."""

import asyncio
import contextlib

import httpx
import psycopg
import pytest

from app.api.streams import MAX_STREAMS
from harness.timing import WAIT, scaled
from harness.waiting import eventually

ALL = "/api/changes?since=1990-01-01&format=jsonl"

# the stream is longer than what the sockets between the processes hold
GENES = """
INSERT INTO genes (hgnc_id, symbol)
SELECT 'HGNC:' || n, 'G' || n FROM generate_series(1, 60000) n RETURNING 1
"""

PLAIN = {"Accept-Encoding": "identity"}

READING = """
SELECT pid FROM pg_stat_activity WHERE application_name = 'kidney-genetics api requests'
  AND (state = 'active' OR state LIKE 'idle in transaction%%')
"""


@pytest.fixture
async def served(plant):
    plant.rows(GENES)
    process, address = await plant.api()
    async with httpx.AsyncClient(base_url=address, headers=PLAIN, timeout=scaled(WAIT)) as client:
        yield client, plant
    process.terminate()
    await asyncio.to_thread(process.wait, scaled(WAIT))


async def test_the_query_ends_when_the_client_leaves(served) -> None:
    client, plant = served
    async with client.stream("GET", ALL) as answer:
        lines = answer.aiter_lines()
        assert (await anext(lines)).startswith('{"hgnc_id":"HGNC:1"')
        assert len(plant.rows(READING)) == 1
    await eventually(lambda: plant.rows(READING) == [])


async def test_the_query_of_a_page_ends_when_the_client_leaves(served) -> None:
    client, plant = served
    with psycopg.connect(plant.env["DATABASE_URL"]) as other:
        # the query waits for the lock
        other.execute("LOCK TABLE origins IN ACCESS EXCLUSIVE MODE")
        asking = asyncio.create_task(client.get("/api/changes?since=1990-01-01"))
        await eventually(lambda: plant.rows(READING))
        asking.cancel()
        await eventually(lambda: plant.rows(READING) == [])
    assert (await client.get("/api/changes?since=1990-01-01")).status_code == 200


async def test_slow_clients_leave_connections_to_others(served) -> None:
    client, plant = served
    async with contextlib.AsyncExitStack() as stack:
        # a response is closed when nobody has its parts any more
        parts = []
        for _ in range(MAX_STREAMS):
            answer = await stack.enter_async_context(client.stream("GET", ALL))
            parts.append(answer.aiter_bytes())
            await anext(parts[-1])
        refused = await client.get(ALL)
        assert refused.status_code == 503
        assert "Retry-After" in refused.headers
        page = (await client.get("/api/changes", params={"since": "1990-01-01"})).json()
        assert len(page["changes"]) == 100
    await eventually(lambda: plant.rows(READING) == [])
    assert (await client.get(ALL)).text.count("\n") == 60_000


async def test_an_answer_that_breaks_off_is_seen_to_be_incomplete(served) -> None:
    client, plant = served
    async with client.stream("GET", ALL) as answer:
        parts = answer.aiter_bytes()
        await anext(parts)
        (ended,) = plant.rows(f"SELECT pg_terminate_backend(pid) AS done FROM ({READING}) r")
        assert ended["done"]
        with pytest.raises(httpx.RemoteProtocolError):
            [part async for part in parts]
