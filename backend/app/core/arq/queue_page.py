"""A page of arq's queue: what its members are."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix

from app.core.arq.wake_ups import load, parse_id

LONGEST_JOB = 4_000
"""Bytes of a job; ours take some hundred. A page has 1,000 of them, which are decoded together."""

LONGEST_ID = 500
"""Characters of a job's id; PostgreSQL has to index it."""

_WRONG_TYPE, _MISSING, _TOO_LONG, _BUSY = -3, -2, -1, 1

_LOOK = f"""
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
  elseif #job > {LONGEST_JOB} then
    what = {_TOO_LONG}
  elseif redis.call('EXISTS', KEYS[i + 1]) == 1 then
    what = {_BUSY}
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
"""Return each member's job, or why there is none to be started; and last Redis' time, in ms.

Members that have no job are removed: a job and its member are put there together."""

_REASONS = {
    _WRONG_TYPE: "a key of another type stands where its job should be",
    _MISSING: "it has no job",
    _TOO_LONG: f"its job is longer than {LONGEST_JOB:,} bytes",
}


@dataclass(frozen=True, slots=True)
class ClientJob:
    """A job that a client of arq enqueued itself."""

    id: str
    function: str
    arguments: Sequence[Any]
    named: dict[str, Any]


@dataclass(slots=True)
class Page:
    """Members of a queue, by what they are. What others are at, and what is deferred, is left out.

    Attributes:
        wake_ups: that can be started.
        jobs: of clients, that can be answered.
        junk: is no job, and why.
        gone: had no job, and why; these are not in the queue any more.
    """

    wake_ups: list[bytes] = field(default_factory=list)
    jobs: list[ClientJob] = field(default_factory=list)
    junk: dict[bytes, str] = field(default_factory=dict)
    gone: dict[bytes, str] = field(default_factory=dict)


class Reader:
    """Reads pages.

    Args:
        redis: the worker's client.
        queue: the queue's key.
        functions: that the worker knows.
    """

    def __init__(self, redis: ArqRedis, queue: str, functions: Collection[str]) -> None:
        self._redis = redis
        self._queue = queue
        self._functions = functions
        self._look = redis.register_script(_LOOK)

    async def members(self, place: int, most: int) -> list[tuple[bytes, float]]:
        """Return members with their scores, from a place in the queue on."""
        found: list[tuple[bytes, float]] = await self._redis.execute_command(  # type: ignore[no-untyped-call]
            *("ZRANGEBYSCORE", self._queue, "-inf", "+inf", "WITHSCORES", "LIMIT", place, most),
            withscores=True,
        )
        return found

    async def page(self, members: Iterable[tuple[bytes, float]]) -> Page:
        """Look at what these members are."""
        page = Page()
        good = []
        for member, score in members:
            job_id = _readable(member)
            if job_id is None:
                page.junk[member] = "that is no job id"
            else:
                good.append((member, job_id, score))
        if not good:
            return page
        keys = [self._queue]
        for _, job_id, _ in good:
            keys += [job_key_prefix + job_id, in_progress_key_prefix + job_id]
        *states, now = await self._look(keys, [member for member, _, _ in good])
        for (member, job_id, score), state in zip(good, states, strict=True):
            if isinstance(state, bytes):
                early = score if score > now else 0
                self._sort_in(page, member, job_id, state, early)
            elif state != _BUSY:
                page.gone[member] = _REASONS[state]
        return page

    def _sort_in(self, page: Page, member: bytes, job_id: str, raw: bytes, early: float) -> None:
        """Put a member where it belongs; ``early`` is a score that lies ahead, or 0."""
        try:
            job = load(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            page.junk[member] = f"its job cannot be read: {error}"
            return
        if job["f"] not in self._functions:
            page.junk[member] = f"function {job['f'][:80]!r} not found"
        elif parse_id(job_id) is not None:
            page.wake_ups.append(member)
        # a client that defers nothing writes the same moment twice, by whatever clock
        elif early <= job["et"]:
            page.jobs.append(ClientJob(job_id, job["f"], job["a"], job["k"]))


def _readable(member: bytes) -> str | None:
    """Return a member as the id that it may be; arq's ids are UTF-8."""
    try:
        job_id = member.decode()
    except UnicodeDecodeError:
        return None
    return job_id if 0 < len(job_id) <= LONGEST_ID and "\0" not in job_id else None
