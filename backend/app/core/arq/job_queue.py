"""Reads arq's queue before arq does, and gives arq only what its worker can start.

The queue is a sorted set in Redis. Its members are job ids. arq 0.28 reads the first 100 members
whose scores lie before its own clock, and starts a job for each free slot at every poll
(``arq/worker.py``, ``_poll_iteration``). This has three weaknesses:

- 100 members that arq skips stop the worker.
- A member that is not a job takes a slot.
- A score that comes from the clock of another machine may lie in the future.

So this module reads the queue in pages. It removes in bulk what is not a job, handles the jobs of
clients in bulk and without a slot, and gives arq the wake-ups that can be started, whatever their
scores.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from typing import Protocol

from arq.connections import ArqRedis
from arq.constants import (
    in_progress_key_prefix,
    job_key_prefix,
    result_key_prefix,
    retry_key_prefix,
)

from app.core.arq.queue_page import ClientJob, Page, QueueReader
from app.core.arq.removal_log import RemovalLog
from app.core.arq.wake_ups import parse_id
from app.core.postgres.unavailable import DATABASE_ERRORS

logger = logging.getLogger(__name__)

PAGE_SIZE = 1_000
"""Members that are read together."""

SCAN_SECONDS = 1.0
"""Seconds after which a poll reads no further page. The next poll reads the rest of the queue."""

MAX_UNCHECKED = 20
"""If a page has more wake-ups than this, PostgreSQL is asked which of the runs are queued."""

LEASE_SECONDS = 60
"""Seconds after which another worker handles a client's job whose worker died."""

RETRY_SECONDS = 5.0
"""Seconds without handling clients' jobs after PostgreSQL was unavailable."""

_LEASE = """
local taken = {}
for i = 1, #KEYS, 2 do
  taken[#taken + 1] = redis.call('EXISTS', KEYS[i]) == 1
    and redis.call('SET', KEYS[i + 1], '1', 'NX', 'EX', ARGV[1]) and 1 or 0
end
return taken
"""
"""Takes jobs for this worker, except those that another worker has taken or has already handled."""


class ClientJobHandler(Protocol):
    """Knows the runs, which are in PostgreSQL and not in the queue."""

    async def still_queued(self, keys: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Return the runs among these, each with its epoch, that are queued."""

    def handle(self, jobs: Sequence[ClientJob]) -> AsyncGenerator[Sequence[str]]:
        """Handle clients' jobs, and yield the ids of those that are done as the work goes on.

        Raises:
            DATABASE_ERRORS: PostgreSQL is unavailable; jobs that were not yielded are not done.
        """


class JobQueue:
    """The queue, as one worker sees it.

    Args:
        redis: the worker's client.
        name: the Redis key of the queue.
        functions: the names of the jobs that the worker knows.
    """

    client_jobs: ClientJobHandler | None = None
    """None until the worker has started. Until then, clients' jobs stay in the queue."""

    def __init__(self, redis: ArqRedis, name: str, functions: Collection[str]) -> None:
        self._redis = redis
        self._name = name
        self._reader = QueueReader(redis, name, functions)
        self._lease = redis.register_script(_LEASE)
        self._removals = RemovalLog(name)
        self._not_before = 0.0

    async def wake_ups(self, limit: int, declined: Collection[bytes]) -> list[bytes]:
        """Return the ids of wake-ups that can be started, the oldest run's first.

        Args:
            limit: the most ids to return.
            declined: ids that are left to other workers.

        Raises:
            redis.exceptions.ResponseError: the key holds something else than a queue.
        """
        until = time.monotonic() + SCAN_SECONDS
        found: list[bytes] = []
        offset = 0
        while True:
            members = await self._reader.members(offset, PAGE_SIZE)
            page = await self._reader.classify(members)
            wake_ups = [member for member in page.wake_ups if member not in declined]
            found += await self._current(wake_ups, page)
            handled = await self._handle(page.jobs)
            await self._remove(page.invalid)
            self._removals.add(page.invalid | page.removed)
            offset += len(members) - len(page.invalid) - len(page.removed) - handled
            if len(members) < PAGE_SIZE or len(found) >= limit or time.monotonic() >= until:
                break
        self._removals.write()
        return found[:limit]

    async def _current(self, wake_ups: list[bytes], page: Page) -> list[bytes]:
        """Return the wake-ups whose run is still queued; few wake-ups are returned unchecked.

        A needless wake-up is harmless, because its claim fails, but many of them take time.
        """
        if self.client_jobs is None or len(wake_ups) <= MAX_UNCHECKED:
            return wake_ups
        keys = {member: key for member in wake_ups if (key := parse_id(member.decode()))}
        try:
            queued = await self.client_jobs.still_queued(keys.values())
        except DATABASE_ERRORS:
            return wake_ups
        page.invalid |= {
            each: "the run is not queued under this epoch"
            for each, key in keys.items()
            if key not in queued
        }
        return [member for member in wake_ups if member not in page.invalid]

    async def _handle(self, jobs: Sequence[ClientJob]) -> int:
        """Handle clients' jobs that no other worker is handling; return how many are done."""
        if self.client_jobs is None or not jobs or time.monotonic() < self._not_before:
            return 0
        keys = []
        for job in jobs:
            keys += [job_key_prefix + job.id, in_progress_key_prefix + job.id]
        taken = await self._lease(keys, [LEASE_SECONDS])
        left = {job.id: job for job, mine in zip(jobs, taken, strict=True) if mine}
        handled = 0
        try:
            async with aclosing(self.client_jobs.handle(list(left.values()))) as done:
                async for ids in done:
                    await self._remove([job_id.encode() for job_id in ids])
                    handled += len(ids)
                    for job_id in ids:
                        del left[job_id]
        except DATABASE_ERRORS as error:
            logger.warning(
                "PostgreSQL is unavailable, %d jobs of clients wait: %s", len(left), error
            )
            self._not_before = time.monotonic() + RETRY_SECONDS
        finally:
            if left:
                leases = [in_progress_key_prefix + job_id for job_id in left]
                await asyncio.shield(self._redis.delete(*leases))
        return handled

    async def _remove(self, members: Collection[bytes]) -> None:
        """Remove members from the queue, with every key that arq keeps for them, in one MULTI."""
        if not members:
            return
        prefixes = (job_key_prefix, in_progress_key_prefix, retry_key_prefix, result_key_prefix)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(self._name, *members)
            pipe.delete(*(prefix.encode() + member for member in members for prefix in prefixes))
            await pipe.execute()
