"""Who does something to a run or a schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs.events import Event
from app.db.text import storable

NOT_RECORDED = "not recorded"
"""Shown of what was done before this version recorded who did it."""

ACTS = frozenset({Event.CREATED, Event.ACCEPTED, Event.REOPENED, Event.CANCELLED})
"""The events that somebody brings about. All others happen while workers execute a run."""

LONGEST_NAME = 200
"""Characters. What is longer is cut."""


class Way(StrEnum):
    """By which way somebody acts."""

    PAGES = "pages"
    API = "API"
    CLI = "CLI"
    SCHEDULE = "schedule"
    ARQ = "arq"


class _Event(Protocol):
    event: str
    actor: str | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and by which way. Its text, such as ``ada@lab3, CLI``, is what is recorded.

    Attributes:
        name: a role, a user of the operating system with the host, or the name of a schedule.
    """

    name: str
    way: Way

    def __str__(self) -> str:
        return f"{storable(self.name)[:LONGEST_NAME]}, {self.way}"


ADMIN_BY_API = Actor("admin", Way.API)
"""Whoever has the admin's token, and calls the API."""

CLIENT_OF_ARQ = Actor("client", Way.ARQ)
"""A program that enqueues a job in Redis itself. It does not say who it is."""


def by_schedule(name: str) -> Actor:
    """Return who acts when a schedule is due."""
    return Actor(name, Way.SCHEDULE)


def shown(event: _Event) -> str:
    """Return who did an event, as people read it. It is empty if a worker did it."""
    return event.actor or (NOT_RECORDED if event.event in ACTS else "")


# one probe of the index for each actor, however many events there are
_ACTORS = text(
    """
    WITH RECURSIVE named AS (
      (SELECT actor FROM run_events WHERE actor IS NOT NULL ORDER BY actor LIMIT 1)
      UNION ALL
      SELECT (SELECT e.actor FROM run_events e WHERE e.actor > n.actor ORDER BY e.actor LIMIT 1)
      FROM named n WHERE n.actor IS NOT NULL
    )
    SELECT actor FROM named WHERE actor IS NOT NULL
    """
)


async def list_actors(connection: AsyncConnection) -> Sequence[str]:
    """Return everybody who has acted on a run that is still there, in alphabetical order."""
    return (await connection.execute(_ACTORS)).scalars().all()


def is_named(actor: str, name: str) -> bool:
    """Tell whether a name, as somebody types it, means an actor.

    ``ada`` means ``ada@lab3, CLI`` as well as ``ada@lab4, CLI``, and ``admin`` means the admin by
    the pages and by the API.
    """
    rest = actor.removeprefix(name)
    return actor == name or (rest != actor and rest[0] in "@,")
