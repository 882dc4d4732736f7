"""The list of runs, and actions on all matching runs."""

import shlex
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, Field

from app.annotation.own_tables.registry import all_sources
from app.api import runs
from app.api.services import Services, ServicesDep
from app.core.errors import UserError, WrongUse
from app.core.runs.actors import Actor, list_actors
from app.core.runs.filters import STATES, RunFilter, read_filter
from app.core.runs.views import list_runs
from app.core.text.words import some
from app.db.bounds import MAX_ID
from app.web.rendering import page, redirect
from app.web.roles import Roles, actor_of, session_of

router = APIRouter()

PAGE_SIZE = 50
MAX_AT_ONCE = 500
"""Maximum number of runs that one action covers."""

MAX_DONE_CHARS = 1_000
"""Maximum length of the message that reports what a button did, in characters."""

_Text = Annotated[str, Field(max_length=200)]


@dataclass(frozen=True, slots=True)
class Action:
    """An action on all matching runs.

    Attributes:
        do: performs the action on one run, like the API.
        states: the states of the runs that the action applies to.
        done: the participle that describes the run after the action.
    """

    do: Callable[[int, Services, Actor], Awaitable[object]]
    states: Collection[str]
    done: str


ACTIONS = {
    "cancel": Action(runs.cancel, ("queued", "running"), "cancelled"),
    "retry": Action(runs.retry, ("failed", "cancelled"), "queued again"),
}


class Search(BaseModel):
    """The fields of the filter form. Empty fields are ignored."""

    state: _Text = ""
    source: _Text = ""
    error: _Text = ""
    since: _Text = ""
    until: _Text = ""
    actor: str = Field("", max_length=300)

    @property
    def given(self) -> dict[str, str]:
        """The nonempty fields."""
        fields = Search.model_fields
        return {name: value for name in fields if (value := getattr(self, name))}

    def filter(self) -> RunFilter:
        """Return the filter.

        Raises:
            WrongUse: a field has a wrong value.
        """
        states = [self.state] if self.state else []
        return read_filter(
            states=states,
            source=self.source,
            error=self.error,
            since=self.since,
            until=self.until,
            actor=self.actor,
        )


class PageOfSearch(Search):
    """A page of the list."""

    before: int | None = Field(None, ge=1, le=MAX_ID)
    done: str = Field("", max_length=2 * MAX_DONE_CHARS)
    """The sealed message that reports what a button did. The seal prevents forged links."""


class ActOnAll(Search):
    """The fields of the action buttons below the list."""

    action: str = Field(max_length=20)


@router.get("/runs")
async def show_runs(
    request: Request, services: ServicesDep, search: Annotated[PageOfSearch, Query()]
) -> Response:
    """Show the matching runs, the newest first."""
    async with services.reads.connect() as connection:
        found = await list_runs(
            connection, limit=PAGE_SIZE, before=search.before, only=search.filter()
        )
        sources = [*await all_sources(connection)]
        actors = await list_actors(connection)
    roles: Roles = request.app.state.roles
    older = urlencode(search.given | {"before": found.next_before}) if found.next_before else None
    return page(
        request,
        "runs.html",
        runs=found.runs,
        search=search,
        done=roles.opened(session_of(request), search.done),
        older=older,
        states=STATES,
        sources=sources,
        actors=actors,
        same=_same_elsewhere(search),
    )


@router.post("/runs/matching")
async def act_on_all(
    request: Request, services: ServicesDep, search: Annotated[ActOnAll, Form()]
) -> Response:
    """Cancel or retry every matching run, the oldest first."""
    if search.action not in ACTIONS:
        raise WrongUse(f"unknown action {search.action!r}", allowed=", ".join(ACTIONS))
    action = ACTIONS[search.action]
    async with services.reads.connect() as connection:
        found = await list_runs(connection, limit=MAX_AT_ONCE, only=search.filter())
    changed, refused = 0, []
    for run in reversed(found.runs):
        if run.state not in action.states:
            continue
        try:
            await action.do(run.id, services, actor_of(request))
            changed += 1
        except UserError as problem:
            refused.append(f"run {run.id}: {problem.found}")
    done = f"{changed:,} {action.done}"
    if refused:
        done += f"; {len(refused):,} refused: {some(refused)}"
    roles: Roles = request.app.state.roles
    sealed = roles.sealed(session_of(request), done[:MAX_DONE_CHARS])
    return redirect(request, "/runs?" + urlencode(search.given | {"done": sealed}))


def _same_elsewhere(search: PageOfSearch) -> tuple[str, str]:
    """Return the API's address and the command that list the same runs."""
    given = search.given | ({} if search.before is None else {"before": str(search.before)})
    options = [f"--{name} {shlex.quote(value)}" for name, value in given.items()]
    query = f"?{urlencode(given)}" if given else ""
    return f"/api/admin/runs{query}", " ".join(["just runs", *options])
