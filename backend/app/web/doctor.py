"""The page of the doctor: the results of the checks, and the remedies."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from app.api import doctor
from app.api.doctor import CheckResult, DoctorReport
from app.api.services import Services, ServicesDep
from app.core.checks import Check
from app.doctor.choice import chosen_of
from app.doctor.registry import CHECKS, GROUPS
from app.web.live import live_events
from app.web.rendering import page, redirect
from app.web.wording import words

router = APIRouter()

OUTCOMES = (
    ("failed", "Failed"),
    ("warning", "Warnings"),
    ("not_looked_at", "Not run, because the time was up"),
    ("skipped", "Skipped"),
    ("ok", "Passed"),
)
"""The outcomes with their headings, in display order."""


class Choice(BaseModel):
    """The chosen checks; none means all. A name is an id or a group, as after ``--only``."""

    only: list[Annotated[str, Field(max_length=100)]] = Field([], max_length=100)

    @property
    def names(self) -> list[str]:
        """The names. A field may contain several names, separated by commas."""
        return [name for each in self.only for name in each.split(",") if name]

    @property
    def query(self) -> str:
        """The query string of the URL, with the question mark."""
        return f"?{urlencode({'only': ','.join(self.names)}, safe=',')}" if self.names else ""


@dataclass(frozen=True, slots=True)
class Examination:
    """The content of the page.

    Attributes:
        level: good, warn, bad or quiet.
        sentence: the results in one sentence.
        outcomes: the results by their outcome, the worst first.
        not_run: the chosen checks without a result.
    """

    report: DoctorReport
    level: str
    sentence: str
    outcomes: Sequence[tuple[str, Sequence[CheckResult]]]
    not_run: Sequence[Check]


@router.get("/doctor")
async def show_doctor(
    request: Request, services: ServicesDep, choice: Annotated[Choice, Query()]
) -> Response:
    """Show the latest results of the checks, without running any."""
    found = examination(services, choice)
    return page(request, "doctor.html", found=found, choice=choice, groups=GROUPS)


@router.get("/live/doctor", response_class=EventSourceResponse)
async def live_doctor(
    request: Request, services: ServicesDep, choice: Annotated[Choice, Query()]
) -> AsyncIterator[ServerSentEvent]:
    """Stream the content of the page as it changes."""

    async def read() -> dict[str, Any]:
        return {"found": examination(services, choice), "choice": choice}

    async for event in live_events(request, "doctor_live.html", read):
        yield event


@router.post("/doctor")
async def examine(
    request: Request, services: ServicesDep, choice: Annotated[Choice, Form()]
) -> Response:
    """Run the checks and show their results."""
    await services.doctor.examine(chosen_of(choice.names))
    return redirect(request, f"/doctor{choice.query}")


def examination(services: Services, choice: Choice) -> Examination:
    """Return the content of the page."""
    chosen = chosen_of(choice.names)
    report = doctor.report(services, chosen)
    seen = {check.id for check in report.checks}
    outcomes = [
        (title, [check for check in report.checks if check.status == status])
        for status, title in OUTCOMES
    ]
    return Examination(
        report,
        *_judge(report),
        outcomes=[(title, checks) for title, checks in outcomes if checks],
        not_run=[check for check in CHECKS if check.id in chosen and check.id not in seen],
    )


def _judge(report: DoctorReport) -> tuple[str, str]:
    if report.ok is None:
        return "quiet", "These checks have not run since this API was started."
    failed, warnings, passed = (report.counts[each] for each in ("failed", "warning", "ok"))
    if failed:
        verb = "has" if failed == 1 else "have"
        return "bad", f"{words(failed, 'check')} {verb} failed, {passed:,} passed."
    if warnings:
        return "warn", f"Nothing has failed; {words(warnings, 'warning')}, {passed:,} passed."
    return "good", f"No problem was found; {words(passed, 'check')} passed."
