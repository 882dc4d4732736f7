"""What lies in arq's queue, looked through before arq sees it.

arq 0.28 reads the first 100 members, by their scores up to its own clock, and works off one for
each free slot at every poll (``arq/worker.py``, ``_poll_iteration``). So 100 members that it passes
over stop it, what is no job takes slots, and a score by another machine's clock may be in the
future. Here a page is read whole: what is no job is removed in bulk, clients' own jobs are answered
in bulk and without a slot, and arq is given wake-ups that can be started, whatever their scores.
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

from app.core.arq.junk import Junk
from app.core.arq.queue_page import ClientJob, Page, Reader
from app.core.arq.wake_ups import parse_id
from app.core.postgres.unavailable import DATABASE_ERRORS

logger = logging.getLogger(__name__)

PAGE = 1_000
"""Members that are looked at together."""

BUSY_SECONDS = 1.0
"""After so long what was found is started; the rest of the queue is for the next poll."""

CROWD = 20
"""With more wake-ups than this at a time, PostgreSQL is asked which runs are still queued."""

LEASE = 60
"""Seconds after which a client's own job is looked at again if its worker died."""

PUT_BACK = 5.0
"""Seconds after which PostgreSQL, which was away, is asked again for clients' jobs."""

_LEASE = """
local taken = {}
for i = 1, #KEYS, 2 do
  taken[#taken + 1] = redis.call('EXISTS', KEYS[i]) == 1
    and redis.call('SET', KEYS[i + 1], '1', 'NX', 'EX', ARGV[1]) and 1 or 0
end
return taken
"""
"""Take jobs for this worker, unless another has them or has answered them."""


class Desk(Protocol):
    """Knows the runs, which the queue does not."""

    async def still_queued(self, keys: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Return those of these runs, each with its epoch, that wait for a worker."""

    def answer(self, jobs: Sequence[ClientJob]) -> AsyncGenerator[Sequence[str]]:
        """Answer clients' jobs, and give the ids of those that are answered as they are.

        Raises:
            DATABASE_ERRORS: PostgreSQL is away; what was not given is not answered.
        """


class JobQueue:
    """The queue, as one worker sees it.

    Args:
        redis: the worker's client.
        name: the queue's key.
        functions: that the worker knows.
    """

    desk: Desk | None = None
    """None until the worker has started; until then only wake-ups can be answered."""

    def __init__(self, redis: ArqRedis, name: str, functions: Collection[str]) -> None:
        self._redis = redis
        self._name = name
        self._reader = Reader(redis, name, functions)
        self._lease = redis.register_script(_LEASE)
        self._junk = Junk(name)
        self._not_before = 0.0

    async def wake_ups(self, most: int, declined: Collection[bytes]) -> list[bytes]:
        """Return the ids of wake-ups that can be started, the oldest run's first.

        Args:
            most: at most so many.
            declined: ids that are left to other workers.

        Raises:
            redis.exceptions.ResponseError: the queue's key is no queue.
        """
        until = time.monotonic() + BUSY_SECONDS
        found: list[bytes] = []
        place = 0
        while True:
            members = await self._reader.members(place, PAGE)
            page = await self._reader.page(members)
            wake_ups = [each for each in page.wake_ups if each not in declined]
            found += await self._current(wake_ups, page)
            answered = await self._answer(page.jobs)
            await self._forget(page.junk)
            self._junk.add(page.junk | page.gone)
            place += len(members) - len(page.junk) - len(page.gone) - answered
            if len(members) < PAGE or len(found) >= most or time.monotonic() >= until:
                break
        self._junk.tell()
        return found[:most]

    async def _current(self, wake_ups: list[bytes], page: Page) -> list[bytes]:
        """Leave out wake-ups of runs that do not wait for them, where there are many."""
        if self.desk is None or len(wake_ups) <= CROWD:
            return wake_ups
        ids = {each: key for each in wake_ups if (key := parse_id(each.decode()))}
        try:
            queued = await self.desk.still_queued(ids.values())
        except DATABASE_ERRORS:
            return wake_ups
        page.junk |= {
            each: "the run is not queued under this epoch"
            for each, key in ids.items()
            if key not in queued
        }
        return [each for each in wake_ups if each not in page.junk]

    async def _answer(self, jobs: Sequence[ClientJob]) -> int:
        """Answer clients' jobs that nobody else is at; return how many were."""
        if self.desk is None or not jobs or time.monotonic() < self._not_before:
            return 0
        keys = []
        for job in jobs:
            keys += [job_key_prefix + job.id, in_progress_key_prefix + job.id]
        taken = await self._lease(keys, [LEASE])
        left = {job.id: job for job, mine in zip(jobs, taken, strict=True) if mine}
        answered = 0
        try:
            async with aclosing(self.desk.answer(list(left.values()))) as answers:
                async for ids in answers:
                    await self._forget([each.encode() for each in ids])
                    answered += len(ids)
                    for each in ids:
                        del left[each]
        except DATABASE_ERRORS as error:
            logger.warning("PostgreSQL is away, %d jobs of clients wait: %s", len(left), error)
            self._not_before = time.monotonic() + PUT_BACK
        finally:
            if left:
                leases = [in_progress_key_prefix + job_id for job_id in left]
                await asyncio.shield(self._redis.delete(*leases))
        return answered

    async def _forget(self, members: Collection[bytes]) -> None:
        """Remove members of the queue with all that arq keeps of them, in one MULTI."""
        if not members:
            return
        prefixes = (job_key_prefix, in_progress_key_prefix, retry_key_prefix, result_key_prefix)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(self._name, *members)
            pipe.delete(*(prefix.encode() + each for each in members for prefix in prefixes))
            await pipe.execute()
