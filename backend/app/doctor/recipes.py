"""The shell commands for the steps that errors and checks recommend."""

from app.core.checks import Remedy
from app.core.errors import (
    CHECK_INSTALLATION,
    EDIT_SETTINGS,
    FIND_SESSION,
    INSTALL_TRACES,
    LIST_NOTIFICATIONS,
    LIST_RUNS,
    MIGRATE,
    START_API,
    START_SERVERS,
    START_WORKER,
    Step,
    UserError,
    accept_held,
    annotate,
    back_up,
    cancel_run,
    find_cause,
    remove_schedule,
    restore,
    retry_run,
    run_schedule,
    show_run,
    show_schedule,
)

_RECIPES = {
    MIGRATE.name: "make migrate",
    START_SERVERS.name: "make hybrid-up",
    START_WORKER.name: "just worker",
    START_API.name: "just api",
    EDIT_SETTINGS.name: "${EDITOR:-vi} .env",
    LIST_RUNS.name: "just runs",
    LIST_NOTIFICATIONS.name: "just notifications",
    INSTALL_TRACES.name: "make traces",
    CHECK_INSTALLATION.name: "just doctor",
    FIND_SESSION.name: "just doctor --only database.idle-in-transaction",
    annotate().name: "just annotate",
    back_up("").name: "just backup",
    restore("").name: "just restore",
    cancel_run(0).name: "just cancel",
    retry_run(0).name: "just retry",
    show_run(0).name: "just show",
    accept_held(0, "").name: "just accept",
    find_cause().name: "just doctor --only",
    show_schedule("").name: "just schedules",
    run_schedule("").name: "just schedule-run",
    remove_schedule("").name: "just schedule-remove",
}


def recipe(step: Step) -> str:
    """Return the command for a step."""
    return f"{_RECIPES[step.name]} {step.subject}".rstrip()


def commands(remedy: Remedy) -> str:
    """Return the commands of a remedy, one per line."""
    parts = remedy if isinstance(remedy, tuple) else (remedy,)
    return "\n".join(recipe(part) if isinstance(part, Step) else part for part in parts)


def explain(error: UserError) -> str:
    """Return the message of an error, followed by the commands for its steps."""
    return "\n".join([str(error), *(f"  type: {recipe(step)}" for step in error.steps)])
