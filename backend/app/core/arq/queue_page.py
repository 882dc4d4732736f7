"""Reads a page of arq's queue and classifies its members."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix

from app.core.arq.wake_ups import load, parse_id

MAX_JOB_BYTES = 4_000
"""Bytes of a job. Our jobs take a few hundred, and a page of 1,000 jobs is decoded at once."""

MAX_ID_LENGTH = 500
"""Characters of a job id, which PostgreSQL must be able to index."""

_WRONG_TYPE, _MISSING, _TOO_LONG, _IN_PROGRESS = -3, -2, -1, 1

_READ_JOBS = f"""
local found = {{}}
for i = 2, #KEYS, 2 do
  local member = ARGV[i / 2]
  local job = redis.pcall('GET', KEYS[i])
  local what = 0
  if type(job) == 'table' then
    if not string.match(job.err, 'WRONGTYPE') then return job end
    what = {_WRONG_TYPE}
  elseif not job then
    what = {_MISSING}
  elseif #job > {MAX_JOB_BYTES} then
    what = {_TOO_LONG}
  elseif redis.call('EXISTS', KEYS[i + 1]) == 1 then
    what = {_IN_PROGRESS}
  end
  if what < 0 then
    redis.call('DEL', KEYS[i])
    redis.call('ZREM', KEYS[1], member)
  end
  if what == 0 then found[i / 2] = job else found[i / 2] = what end
end
local t = redis.call('TIME')
found[#found + 1] = t[1] * 1000 + math.floor(t[2] / 1000)
return found
"""
"""Returns for each member its job, or a code for why it cannot start. The last element is the time
of Redis in milliseconds.

Members without a usable job are removed, because clients write a job and its member together."""

_REASONS = {
    _WRONG_TYPE: "the key of its job has another type",
    _MISSING: "it has no job",
    _TOO_LONG: f"its job is longer than {MAX_JOB_BYTES:,} bytes",
}


@dataclass(frozen=True, slots=True)
class ClientJob:
    """A job that an arq client enqueued directly."""

    id: str
    function: str
    arguments: Sequence[Any]
    named: dict[str, Any]


@dataclass(slots=True)
class Page:
    """The classified members of a page, without those in progress and those deferred.

    Attributes:
        wake_ups: wake-ups that can start.
        jobs: clients' jobs that can be handled.
        invalid: members that are not jobs, with the reason; the caller removes them.
        removed: members without a usable job, with the reason; they are already removed.
    """

    wake_ups: list[bytes] = field(default_factory=list)
    jobs: list[ClientJob] = field(default_factory=list)
    invalid: dict[bytes, str] = field(default_factory=dict)
    removed: dict[bytes, str] = field(default_factory=dict)


class QueueReader:
    """Reads pages of a queue.

    Args:
        redis: the worker's client.
        queue: the Redis key of the queue.
        functions: the names of the jobs that the worker knows.
    """

    def __init__(self, redis: ArqRedis, queue: str, functions: Collection[str]) -> None:
        self._redis = redis
        self._queue = queue
        self._functions = functions
        self._read_jobs = redis.register_script(_READ_JOBS)

    async def members(self, offset: int, limit: int) -> list[tuple[bytes, float]]:
        """Return members with their scores, in the order of the scores."""
        found: list[tuple[bytes, float]] = await self._redis.execute_command(  # type: ignore[no-untyped-call]
            *("ZRANGEBYSCORE", self._queue, "-inf", "+inf", "WITHSCORES", "LIMIT", offset, limit),
            withscores=True,
        )
        return found

    async def classify(self, members: Iterable[tuple[bytes, float]]) -> Page:
        """Read the jobs of members, and remove members without a usable job."""
        page = Page()
        readable = []
        for member, score in members:
            job_id = _decode_id(member)
            if job_id is None:
                page.invalid[member] = "it is not a job id"
            else:
                readable.append((member, job_id, score))
        if not readable:
            return page
        keys = [self._queue]
        for _, job_id, _ in readable:
            keys += [job_key_prefix + job_id, in_progress_key_prefix + job_id]
        *states, now = await self._read_jobs(keys, [member for member, _, _ in readable])
        for (member, job_id, score), state in zip(readable, states, strict=True):
            if isinstance(state, bytes):
                future_score = score if score > now else 0
                self._add(page, member, job_id, state, future_score)
            elif state != _IN_PROGRESS:
                page.removed[member] = _REASONS[state]
        return page

    def _add(self, page: Page, member: bytes, job_id: str, raw: bytes, future_score: float) -> None:
        """Add a member to the page; ``future_score`` is its score if in the future, otherwise 0."""
        try:
            job = load(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            page.invalid[member] = f"its job cannot be read: {error}"
            return
        if job["f"] not in self._functions:
            page.invalid[member] = f"function {job['f'][:80]!r} is unknown"
        elif parse_id(job_id) is not None:
            page.wake_ups.append(member)
        # a score later than the time of enqueueing defers the job; without a deferral, the client
        # writes the same time twice, and its clock may be ahead of Redis' clock
        elif future_score <= job["et"]:
            page.jobs.append(ClientJob(job_id, job["f"], job["a"], job["k"]))


def _decode_id(member: bytes) -> str | None:
    """Return a member as a job id; None if it is not valid. arq's ids are UTF-8."""
    try:
        job_id = member.decode()
    except UnicodeDecodeError:
        return None
    return job_id if 0 < len(job_id) <= MAX_ID_LENGTH and "\0" not in job_id else None
