from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Response
from pydantic import ConfigDict, Field, StrictBool

from app.annotation.data.lists import genes_to_annotate
from app.annotation.refresh.requests import request_run
from app.annotation.refresh.run_detail import RunDetail, get_detail
from app.annotation.sources import SOURCES
from app.api import routers
from app.api.acting import ByApi
from app.api.errors import refusals
from app.api.services import Services, ServicesDep
from app.api.strict_requests import IN_DIGITS, StrictBody
from app.core.errors import WrongUse
from app.core.runs import log_lines, operations, shapes, views
from app.core.runs.actors import ADMIN_BY_API
from app.core.runs.filters import ALL_RUNS, STATES, RunFilter, read_filter
from app.core.runs.request import MODES, RunRequest
from app.core.text.field_docs import View, one_of
from app.db.bounds import MAX_EPOCH, MAX_ID

router = routers.admin_router("", "admin")

_NOT_FOUND = refusals({404: "There is no such run"})

RunId = Annotated[int, Path(description="The run's id.", examples=[1]), IN_DIGITS]
BeforeId = Annotated[
    int | None, Query(ge=1, le=MAX_ID, description="Only runs with smaller ids."), IN_DIGITS
]
AfterId = Annotated[
    int, Query(ge=0, le=MAX_ID, description="Only events with greater ids."), IN_DIGITS
]

Traceparent = Annotated[
    str | None,
    Header(
        description="The caller's span (W3C Trace Context), to which the span of the run gets"
        " a link. An invalid value is ignored."
    ),
]

# a class with a field `list` cannot name the type
_Sources = list[Annotated[str, one_of(SOURCES), Field(max_length=100)]]
_Genes = list[Annotated[str, Field(max_length=100)]]


class NewRun(StrictBody):
    """A request for a run."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"sources": [[*SOURCES][-1]]}]},
    )

    # the allowed values are checked where the run is created
    sources: _Sources | None = Field(
        None,
        max_length=100,
        description="The sources to refresh; null means all.",
    )
    mode: Annotated[str, one_of(MODES)] = Field(
        "smart",
        max_length=100,
        description="`smart` refreshes answers that are missing, unknown, stale or of an"
        " earlier release. `full` refreshes all.",
    )
    genes: _Genes | None = Field(
        None,
        max_length=20_000,
        description="The genes to refresh, by symbols, previous symbols, aliases, or HGNC,"
        " Ensembl or Entrez ids; null means all.",
    )
    resume: StrictBool = Field(
        default=False,
        description="Reopen the latest failed or cancelled run of the same request.",
    )
    list: str | None = Field(
        None,
        max_length=100,
        description="The name of a gene list: only its genes are refreshed. Not together with"
        " `genes`.",
    )


class NewAcceptance(StrictBody):
    """Says who accepts what a run holds of a source, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"source": [*SOURCES][-1], "by": "Ada", "note": "a new file format"}]
        },
    )

    # the allowed names are those of the sources that the run holds
    source: Annotated[str, one_of(SOURCES)] = Field(
        max_length=100, description="The name of the source."
    )
    by: str = Field(
        min_length=1, max_length=200, description="The name of the person who accepts the answers."
    )
    note: str = Field("", max_length=2_000, description="Why the answers are accepted.")


class Accepted(View):
    """A run that will be executed."""

    id: int
    state: Annotated[str, one_of(("queued", "running"))]
    """`queued`, or `running` if the run already existed."""
    created: bool
    """True for a new run; false for an existing run of the same request."""


@router.post(
    "/runs",
    status_code=202,
    summary="Start a run",
    response_description="The run is queued",
    responses={
        200: {
            "model": Accepted,
            "description": "No run is created: a run of the same request is active or, with"
            " `resume`, was reopened",
        },
        **refusals(
            {
                400: "The body is not JSON",
                409: "Another active run covers one of the sources",
                413: "The body is larger than 64 KiB",
                422: "A field is unknown, its value is not allowed, or there are no genes",
            }
        ),
    },
)
async def start(
    new: NewRun, services: ServicesDep, response: Response, traceparent: Traceparent = None
) -> Accepted:
    """Create a run, or return the active run of the same request."""
    request = RunRequest.of(new.sources, new.mode, await _limited_to(new, services))
    accepted = await request_run(
        services.db,
        services.dispatcher,
        request,
        enabled=services.enabled_sources,
        actor=ADMIN_BY_API,
        resume=new.resume,
        traceparent=traceparent,
    )
    if not accepted.created:
        response.status_code = 200
    return Accepted(id=accepted.ref.run_id, state=accepted.state, created=accepted.created)


async def _limited_to(new: NewRun, services: Services) -> Sequence[str] | None:
    if new.list is None:
        return new.genes
    if new.genes is not None:
        raise WrongUse("both genes and list", allowed="one of them, or none for all genes")
    async with services.db.connect() as connection:
        return await genes_to_annotate(connection, new.list)


async def _only(
    *,
    state: Annotated[
        list[Annotated[str, one_of(STATES)]] | None,
        Query(
            max_length=5,
            description="Only runs in this state; repeat the parameter for several states.",
        ),
    ] = None,
    source: Annotated[
        str | None, Query(max_length=100, description="Only runs that cover this source.")
    ] = None,
    error: Annotated[
        str | None,
        Query(max_length=200, description="Only runs whose error contains this text, in any case."),
    ] = None,
    since: Annotated[
        str | None, Query(max_length=40, description="Only runs created at this time or later.")
    ] = None,
    until: Annotated[
        str | None, Query(max_length=40, description="Only runs created before this time.")
    ] = None,
    actor: Annotated[
        str | None,
        Query(
            max_length=300,
            description="Only runs on which somebody acted: `ada@lab3, CLI`, or its beginning `ada`"
            " or `ada@lab3`.",
            examples=["admin"],
        ),
    ] = None,
) -> RunFilter:
    return read_filter(
        states=state or (), source=source, error=error, since=since, until=until, actor=actor
    )


OnlyDep = Annotated[RunFilter, Depends(_only)]


@router.get("/runs", summary="List the runs", response_description="A page of runs")
async def list_runs(
    services: ServicesDep,
    limit: Annotated[
        int, Query(ge=1, le=200, description="The maximum number of runs on the page."), IN_DIGITS
    ] = 50,
    before: BeforeId = None,
    only: OnlyDep = ALL_RUNS,
) -> shapes.RunPage:
    """Return a page of runs with their progress, the newest first."""
    async with services.db.connect() as connection:
        return await views.list_runs(connection, limit=limit, before=before, only=only)


@router.get(
    "/runs/{run_id}",
    summary="Show a run",
    response_description="The run",
    responses=_NOT_FOUND,
)
async def get_run(run_id: RunId, services: ServicesDep) -> RunDetail:
    """Return a run with its progress and the reasons of unknown answers."""
    async with services.db.connect() as connection:
        return await get_detail(connection, run_id)


@router.get(
    "/runs/{run_id}/events",
    summary="List the events of a run",
    response_description="A page of events",
    responses=_NOT_FOUND,
)
async def list_events(
    run_id: RunId,
    services: ServicesDep,
    limit: Annotated[
        int,
        Query(ge=1, le=1_000, description="The maximum number of events on the page."),
        IN_DIGITS,
    ] = 200,
    after: AfterId = 0,
) -> shapes.EventPage:
    """Return a page of the events of a run, the oldest first."""
    async with services.db.connect() as connection:
        return await views.list_events(connection, run_id, limit=limit, after=after)


@router.get(
    "/runs/{run_id}/log",
    summary="Show the last log lines of an attempt",
    response_description="The lines",
    responses=refusals({404: "There is no such run, or no line of this attempt is kept"}),
)
async def get_log(
    run_id: RunId,
    services: ServicesDep,
    epoch: Annotated[
        int | None,
        Query(
            ge=1,
            le=MAX_EPOCH,
            description="The attempt; by default the latest one that has lines.",
        ),
        IN_DIGITS,
    ] = None,
) -> log_lines.RunLog:
    """Return the last log lines of an attempt, at most 200, without secrets.

    They are stored about once a second. When a worker is killed, its last second is missing.
    """
    async with services.db.connect() as connection:
        return await log_lines.read_log(connection, run_id, epoch)


@router.post(
    "/runs/{run_id}/cancel",
    status_code=202,
    summary="Cancel a run",
    response_description="The run is cancelled",
    responses=_NOT_FOUND | refusals({409: "The run has already ended"}),
)
async def cancel(run_id: RunId, services: ServicesDep, actor: ByApi) -> shapes.Changed:
    """Cancel a run. It commits nothing from now on, and its attempt stops within seconds."""
    async with services.db.begin() as connection:
        await operations.cancel(connection, run_id, actor=actor)
    return shapes.Changed(id=run_id, state="cancelled")


@router.post(
    "/runs/{run_id}/retry",
    status_code=202,
    summary="Retry a run",
    response_description="The run is queued again",
    responses=_NOT_FOUND
    | refusals(
        {409: "The run is active or succeeded, or another active run covers one of its sources"}
    ),
)
async def retry(run_id: RunId, services: ServicesDep, actor: ByApi) -> shapes.Changed:
    """Reopen a failed or cancelled run. It continues after its last commit."""
    async with services.db.begin() as connection:
        ref = await operations.retry(connection, run_id, actor=actor)
    await services.dispatcher.send([ref])
    return shapes.Changed(id=run_id, state="queued")


@router.post(
    "/runs/{run_id}/accept",
    status_code=202,
    summary="Accept held answers",
    response_description="The run is queued again",
    responses=_NOT_FOUND
    | refusals(
        {
            400: "The body is not JSON",
            409: "The run is being executed, or another active run covers one of its sources",
            413: "The body is larger than 64 KiB",
            422: "A field is unknown or missing, or the run holds nothing of the source",
        }
    ),
)
async def accept(
    run_id: RunId, acceptance: NewAcceptance, services: ServicesDep, actor: ByApi
) -> shapes.Changed:
    """Accept the held answers of a source. The run continues with this source.

    Only what the run shows in `held` is accepted. If the source's file has changed since then, or
    if more genes would become absent, the source is held again.
    """
    async with services.db.begin() as connection:
        ref = await operations.accept(
            connection,
            run_id,
            acceptance.source,
            actor=actor,
            by=acceptance.by,
            note=acceptance.note,
        )
    if ref is not None:
        await services.dispatcher.send([ref])
    return shapes.Changed(id=run_id, state="queued")
