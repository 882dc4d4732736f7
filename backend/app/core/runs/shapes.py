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
    """Accepted answers that were held. Only these files and this number of genes are accepted."""

    by: str
    note: str | None
    accepted_at: datetime


class SourceProgress(View):
    """The progress of a run with one source."""

    source: str
    state: Annotated[str, one_of((*STATES, "held"))]
    """`held`: the answers look wrong, and are not stored until somebody accepts them. While a run
    is queued again, its started sources are shown as `queued`."""
    total: int | None
    """The number of due genes; null until the source has started."""
    done: int
    """The number of genes with an answer: found, absent and unknown together."""
    found: int
    absent: int
    """Genes for which the source says that it has nothing."""
    unknown: int
    """Genes for which the answer could not be found out."""
    changed: int
    """Genes whose answer changed. A first answer is no change."""
    confirmed: int
    """Stale answers that were kept without a request, because the release is the same. They are
    part of `done`."""
    requests: int
    """Requests that were sent to the upstream services so far."""
    rate_limited: int
    """The number of responses with the status 429 (too many requests)."""
    budget_seconds: float
    """The time for which requests have waited for the request budget, in seconds, summed over
    concurrent requests."""
    bytes_received: int
    """The number of bytes of response bodies as they were sent, mostly compressed."""
    weight_total: int | None
    """Expected work, in the source's own unit; null until the source has begun."""
    weight_done: int
    """The part of the expected work that is done."""
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    """The duration of the latest attempt at this source in seconds, so far or in total; null if
    there is none."""
    speed: float | None
    """Genes per second in the current attempt, by its share of the work; null if none runs."""
    eta: float | None
    """Estimated seconds until the source is done, at the speed of the current attempt; null if not
    known."""
    error: str | None = None
    """Why the source failed, or why its answers are held."""
    held: HeldAnswers | None = None
    """What is held; null if the source is not held."""
    accepted: Acceptance | None = None
    """The latest acceptance of held answers of this run; null if there is none."""


class RunWorker(View):
    """The worker that executes a run, or that executed it last."""

    id: int
    host: str
    pid: int


class Run(View):
    """A run and its progress."""

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
    """1 + the number of failed or timed-out attempts that another one followed."""
    interruptions: int
    """The number of attempts that a clean stop of the worker ended. They do not count as
    failures."""
    losses: int
    """The number of attempts whose worker died. They do not count as failures."""
    epoch: int
    """The epoch of the current attempt. Attempts with an earlier epoch cannot commit."""
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
    """Estimated seconds until all sources that are being refreshed are done; null if not known."""
    error: str | None
    """Why the run, or its last failed attempt, failed."""


class RunEvent(View):
    """An event of a run."""

    id: int
    at: datetime
    epoch: int
    """The epoch of the attempt to which the event belongs."""
    event: Annotated[str, one_of(events.Event)]
    actor: str | None
    """Who did it: `admin, pages`, `admin, API`, `ada@lab3, CLI`, `weekly, schedule` or
    `client, arq`. Null if it happened while a worker executed the run, or was not recorded."""
    detail: dict[str, Any]
    """Details of the event: `worker` and `reason` if known, and values that depend on the event."""


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
