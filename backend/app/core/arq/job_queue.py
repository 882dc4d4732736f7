"""Reads arq's queue on behalf of arq, and returns only the jobs that the worker can start.

The queue is a sorted set in Redis whose members are job ids. At every poll, arq 0.28 reads the
first 100 members (or five per slot, if that is more) whose scores lie before its own clock, and
starts a job for each free slot (``arq/worker.py``, ``_poll_iteration``). This has three weaknesses:

- 100 members that arq skips block the worker.
- A member that is not a job occupies a slot.
- A score from the clock of another machine may lie in the future.

So this module reads the queue in pages. It removes members that are not jobs and handles the jobs
of clients, both in bulk and without a slot, and returns the wake-ups that can start, whatever their
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
"""Members per page."""

SCAN_SECONDS = 1.0
"""Seconds after which a poll reads no further pages. The next poll reads the rest of the queue."""

MAX_UNCHECKED = 20
"""If a page has more wake-ups than this, a query finds out which of the runs are still queued."""

LEASE_SECONDS = 60
"""Seconds after which another worker may handle a client's job whose worker died."""

RETRY_SECONDS = 5.0
"""Seconds for which clients' jobs are not handled after PostgreSQL could not handle one."""

_LEASE = """
local taken = {}
for i = 1, #KEYS, 2 do
  taken[#taken + 1] = redis.call('EXISTS', KEYS[i]) == 1
    and redis.call('SET', KEYS[i + 1], '1', 'NX', 'EX', ARGV[1]) and 1 or 0
end
return taken
"""
"""Leases jobs to this worker, except those that another worker has leased or handled."""


class ClientJobHandler(Protocol):
    """Handles clients' jobs with the runs in PostgreSQL."""

    async def still_queued(self, keys: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Return the runs among these that are queued under the given epoch."""

    def handle(self, jobs: Sequence[ClientJob]) -> AsyncGenerator[Sequence[str]]:
        """Handle clients' jobs, and yield the ids of handled jobs progressively.

        Raises:
            DATABASE_ERRORS: PostgreSQL is unavailable; jobs that were not yielded are not handled.
        """


class JobQueue:
    """The queue from the point of view of one worker.

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
        """Return the ids of wake-ups that can start, the oldest run first.

        Args:
            limit: the maximum number of ids.
            declined: ids that this worker leaves to other workers.

        Raises:
            redis.exceptions.ResponseError: the key does not hold a queue.
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
        """Return the wake-ups whose run is still queued. A small number is returned unchecked.

        An outdated wake-up is harmless, because its claim fails, but many of them take time.
        """
        if self.client_jobs is None or len(wake_ups) <= MAX_UNCHECKED:
            return wake_ups
        keys = {member: key for member in wake_ups if (key := parse_id(member.decode()))}
        try:
            queued = await self.client_jobs.still_queued(keys.values())
        except DATABASE_ERRORS:
            return wake_ups
        page.invalid |= {
            member: "the run is not queued under this epoch"
            for member, key in keys.items()
            if key not in queued
        }
        return [member for member in wake_ups if member not in page.invalid]

    async def _handle(self, jobs: Sequence[ClientJob]) -> int:
        """Handle clients' jobs that no other worker is handling; return the number handled."""
        if self.client_jobs is None or not jobs or time.monotonic() < self._not_before:
            return 0
        keys = []
        for job in jobs:
            keys += [job_key_prefix + job.id, in_progress_key_prefix + job.id]
        leased = await self._lease(keys, [LEASE_SECONDS])
        left = {job.id: job for job, is_ours in zip(jobs, leased, strict=True) if is_ours}
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
                "PostgreSQL is unavailable; %d jobs of clients wait at least %g s: %s",
                len(left),
                RETRY_SECONDS,
                error,
            )
        finally:
            if left:
                self._not_before = time.monotonic() + RETRY_SECONDS
                leases = [in_progress_key_prefix + job_id for job_id in left]
                await asyncio.shield(self._redis.delete(*leases))
        return handled

    async def _remove(self, members: Collection[bytes]) -> None:
        """Remove members and all of arq's keys for them, in one MULTI."""
        if not members:
            return
        prefixes = (job_key_prefix, in_progress_key_prefix, retry_key_prefix, result_key_prefix)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(self._name, *members)
            pipe.delete(*(prefix.encode() + member for member in members for prefix in prefixes))
            await pipe.execute()
