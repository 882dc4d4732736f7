"""Actors: who created, cancelled, accepted or retried a run, or changed a schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs.events import Event
from app.db.text import storable

NOT_RECORDED = "not recorded"
"""Displayed in place of the actor of events that were recorded before actors were stored."""

ACTS = frozenset({Event.CREATED, Event.ACCEPTED, Event.REOPENED, Event.CANCELLED})
"""The events that have an actor. Workers cause all other events while they execute a run."""

MAX_NAME_CHARS = 200
"""Characters. Longer names are truncated."""


class Way(StrEnum):
    """The interface through which an actor acts."""

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
    """Who acts, and through which interface. Events store its text, such as ``ada@lab3, CLI``.

    Attributes:
        name: a role, an operating-system user with the host, or the name of a schedule.
        way: the interface.
    """

    name: str
    way: Way

    def __str__(self) -> str:
        return f"{storable(self.name)[:MAX_NAME_CHARS]}, {self.way}"


ADMIN_BY_API = Actor("admin", Way.API)
"""A caller of the API with the admin token."""

CLIENT_OF_ARQ = Actor("client", Way.ARQ)
"""A program that enqueues an arq job in Redis. Such a job does not identify its author."""


def by_schedule(name: str) -> Actor:
    """Return the actor of a schedule that creates a run."""
    return Actor(name, Way.SCHEDULE)


def shown(event: _Event) -> str:
    """Return the actor of an event for display; an empty string if a worker caused the event."""
    return event.actor or (NOT_RECORDED if event.event in ACTS else "")


# a skip scan: one index probe per actor, whatever the number of events
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
    """Return all actors of the stored runs, in alphabetical order."""
    return (await connection.execute(_ACTORS)).scalars().all()


def is_named(actor: str, name: str) -> bool:
    """Return whether a typed name refers to an actor.

    ``ada`` refers to ``ada@lab3, CLI`` as well as ``ada@lab4, CLI``. ``admin`` refers to the admin
    on the pages and in the API.
    """
    rest = actor.removeprefix(name)
    return actor == name or (rest != actor and rest[0] in "@,")
