from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, Field

from app.api import routers
from app.api.errors import refusals
from app.api.services import Services, ServicesDep
from app.api.strict_requests import StrictBody
from app.core.checks import Status
from app.core.text.field_docs import View, one_of
from app.doctor.choice import chosen_of, shown_of
from app.doctor.registry import CHECKS
from app.doctor.report import as_object
from app.doctor.run import with_needs

router = routers.admin_router("/doctor", "admin")

_NAME = Field(max_length=100)


class CheckResult(View):
    """The result of a check."""

    id: str
    group: str
    title: str
    """The requirement, in a few words."""
    status: Annotated[str, one_of(Status)]
    """`skipped` if a check on which it depends has failed, or if it does not apply. `not_looked_at`
    if there was no time for it. Neither is a failure."""
    summary: str
    required: str
    """For a problem, what is required."""
    found: str
    """For a problem, what was found instead."""
    detail: dict[str, Any]
    """The numbers in the summary, for programs."""
    why: str
    """For a problem, why it matters."""
    remedy: str
    """For a problem, the commands that repair it, one per line. The API never executes them."""
    docs: str
    """The section of the documentation that describes the check."""
    seconds: float
    at: datetime
    """When the check ended."""


class DoctorReport(View):
    """The latest results of the checks in this process."""

    running: bool
    """Whether the checks are running."""
    ok: bool | None
    """True if no check failed; null if none has run yet."""
    counts: dict[str, int]
    """The number of checks by status."""
    checks: list[CheckResult]
    """The results of the selected checks, and the problems of checks on which they depend."""


class NewExamination(StrictBody):
    """Which checks to run."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"only": ["config"]}]})

    only: list[Annotated[str, _NAME]] = Field(
        [], max_length=100, description="Ids of checks, or their groups; all by default."
    )


Only = Annotated[
    list[Annotated[str, _NAME]] | None,
    Query(max_length=100, description="Only these checks, or these groups of checks."),
]


@router.get(
    "",
    summary="Show the results of the doctor",
    response_description="The latest results of the checks",
)
async def get_report(services: ServicesDep, only: Only = None) -> DoctorReport:
    """Return what the checks found when they last ran in this process. This runs none of them.

    Each process of the API has results of its own, and forgets them when it stops.
    """
    return report(services, chosen_of(only or ()))


@router.post(
    "",
    summary="Run the doctor",
    response_description="The results of the checks",
    responses=refusals(
        {
            400: "The body is not JSON",
            409: "Other checks run at the moment",
            413: "The body is larger than 64 KiB",
        }
    ),
)
async def examine(new: NewExamination, services: ServicesDep) -> DoctorReport:
    """Run checks in this process, and return what they found, as `just doctor --json` does.

    Nothing is repaired. The checks ask the sources, within the request budgets. They take some
    seconds, and run once at a time: whoever asks for checks that run already gets their results.
    """
    chosen = chosen_of(new.only)
    await services.doctor.examine(chosen)
    return report(services, chosen)


def report(services: Services, chosen: Collection[str]) -> DoctorReport:
    """Return the latest results of these checks, and the problems of the checks that they need."""
    needed = {check.id for check in with_needs(CHECKS, chosen)}
    seen = {latest.result.check.id: latest for latest in services.doctor.seen()}
    results = [seen[name].result for name in seen if name in needed]
    shown = shown_of(results, chosen)
    number = Counter(result.status for result in shown)
    return DoctorReport(
        running=services.doctor.is_running,
        ok=number[Status.failed] == 0 if shown else None,
        counts={status.value: number[status] for status in Status},
        checks=[CheckResult(**as_object(result), at=seen[result.check.id].at) for result in shown],
    )
