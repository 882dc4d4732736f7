"""The API calls for the steps that errors of the engine name."""

from app.core.errors import (
    LIST_NOTIFICATIONS,
    LIST_RUNS,
    Step,
    UserError,
    cancel_run,
    remove_schedule,
)

_CALLS = {
    LIST_RUNS.name: "GET /api/admin/runs",
    LIST_NOTIFICATIONS.name: "GET /api/admin/notifications",
    remove_schedule("").name: "DELETE /api/admin/schedules/{subject}",
    cancel_run(0).name: "POST /api/admin/runs/{subject}/cancel",
}


def call(step: Step) -> str | None:
    """Return the call for a step; None if there is none."""
    template = _CALLS.get(step.name)
    return None if template is None else template.format(subject=step.subject)


def remedy_with_calls(error: UserError) -> str:
    """Return the remedy of an error, with the calls for its steps."""
    calls = [found for step in error.steps if (found := call(step)) is not None]
    if not calls:
        return error.remedy
    return f"{error.remedy}: {', '.join(calls)}"
