"""What is shown of runs. The API, the pages and the commands answer with these."""

from datetime import datetime
from typing import Annotated, Any

from app.core.runs import events
from app.core.runs.filters import STATES
from app.core.runs.request import MODES
from app.core.text.field_docs import View, one_of

_STATE = one_of(STATES)


class HeldFile(View):
    """A file of a source whose answers are held, beside the file that was accepted last."""

    name: str
    release: str
    digest: str
    """The SHA-256 of the file as it was downloaded."""
    rows: int
    genes: int
    """The number of genes that the file has something for."""
    size: int
    """Bytes of the file as it was downloaded."""
    rows_before: int | None = None
    """Rows of the file that was accepted last; null if this is the first one."""
    genes_before: int | None = None
    size_before: int | None = None
    release_before: str | None = None


class HeldAnswers(View):
    """Why the answers of a source are not stored."""

    reason: str
    genes: int
    """The number of genes that had something and would become absent."""
    examples: list[str]
    """The symbols of some of these genes."""
    files: list[HeldFile]


class Acceptance(HeldAnswers):
    """What was held and then accepted. It counts for these files, and for no more genes."""

    by: str
    note: str | None
    accepted_at: datetime


class SourceProgress(View):
    """How far a run has come with one source."""

    source: str
    state: Annotated[str, one_of((*STATES, "held"))]
    """While the run is queued again, a source that has begun is shown as `queued`. The answers of a
    source that is `held` look wrong, and are not stored until somebody accepts them."""
    total: int | None
    """The number of genes to refresh; null until the source has begun."""
    done: int
    """The number of genes with an answer: found, absent and unknown together."""
    found: int
    absent: int
    """Genes for which the source says that it has nothing."""
    unknown: int
    """Genes for which it could not be found out."""
    changed: int
    """Genes whose answer changed. A first answer is no change."""
    confirmed: int
    """Stale answers that were kept without a request, because the release is the same. They are
    part of `done`."""
    requests: int
    """Requests that were sent to the upstream services so far."""
    rate_limited: int
    """Answers with the status 429: the service had too many requests."""
    budget_seconds: float
    """Time that requests have waited for the request budget, in seconds. Of requests that wait at
    the same time, each counts."""
    bytes_received: int
    """Bytes of the bodies as they were sent, so mostly compressed."""
    weight_total: int | None
    """Expected work, in the source's own unit; null until the source has begun."""
    weight_done: int
    """The part of the expected work that is done."""
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    """Duration of the latest attempt at this source, so far or in total; null while none runs."""
    speed: float | None
    """Genes a second in the present attempt, by its share of the work; null if none runs."""
    eta: float | None
    """Seconds until the source is done, at the speed of the present attempt; null if not known."""
    error: str | None = None
    """Why the source failed, or why its answers are held."""
    held: HeldAnswers | None = None
    """What is held; null if the source is not held."""
    accepted: Acceptance | None = None
    """What was accepted last of what this run held."""


class RunWorker(View):
    """The worker that executes a run, or that executed it last."""

    id: int
    host: str
    pid: int


class Run(View):
    """A run: what was asked for, and how far it has come."""

    id: int
    state: Annotated[str, _STATE]
    task: str
    """The name of the job, as arq knows it."""
    sources: list[str] | None
    """The requested sources; null means all."""
    mode: Annotated[str, one_of(MODES)]
    genes: int | None
    """The number of genes that the run is limited to; null means all genes."""
    progress: list[SourceProgress]
    """The sources, in the order in which the run refreshes them."""
    attempts: int
    """1 + the number of failed attempts."""
    interruptions: int
    """Attempts that ended with a clean stop of the worker. They do not count as failures."""
    losses: int
    """Attempts whose worker died. They do not count as failures."""
    epoch: int
    """The epoch of the present attempt. Attempts under an earlier epoch cannot commit anything."""
    worker: RunWorker | None
    """The worker that executes the run, or that executed it last."""
    created_at: datetime
    started_at: datetime | None
    """When the first attempt began."""
    attempt_started_at: datetime | None
    """When the latest attempt began."""
    progressed_at: datetime | None
    """When the run last made progress, for example by committing answers."""
    finished_at: datetime | None
    waiting_for: str | None
    """What a queued run waits for, other than a free worker."""
    not_before: datetime | None
    """A queued run does not start before this time."""
    eta: float | None
    """Seconds until all sources that are being refreshed are done; null if not known."""
    error: str | None
    """Why the run failed, or why its last failed attempt did."""


class RunEvent(View):
    """Something that happened to a run."""

    id: int
    at: datetime
    epoch: int
    """The epoch of the attempt that the event belongs to."""
    event: Annotated[str, one_of(events.Event)]
    actor: str | None
    """Who did it: `admin, pages`, `admin, API`, `ada@lab3, CLI`, `weekly, schedule` or
    `client, arq`. Null if it happened while a worker executed the run, or was not recorded."""
    detail: dict[str, Any]
    """Details: `worker` and `reason` if they are known, and values that depend on the event."""


class RunPage(View):
    """A page of runs, the newest first."""

    runs: list[Run]
    next_before: int | None
    """The parameter `before` for the next page; null if this is the last page."""


class EventPage(View):
    """A page of the events of a run, in order."""

    events: list[RunEvent]
    next_after: int | None
    """The parameter `after` for the next page; null if this is the last page."""


class Changed(View):
    """A run that was cancelled or reopened."""

    id: int
    state: Annotated[str, one_of(("queued", "cancelled"))]
    """`cancelled` after a cancel, `queued` otherwise."""
