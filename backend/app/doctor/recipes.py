"""The recipes that take the steps which errors of the engine name."""

from app.core.errors import (
    FIND_SESSION,
    LIST_RUNS,
    MIGRATE,
    START_SERVERS,
    Step,
    UserError,
    cancel_run,
)

_RECIPES = {
    MIGRATE.name: "make migrate",
    START_SERVERS.name: "make hybrid-up",
    LIST_RUNS.name: "just runs",
    FIND_SESSION.name: "just doctor --only database.idle-in-transaction",
    cancel_run(0).name: "just cancel",
}


def recipe(step: Step) -> str:
    """Return the command that takes a step."""
    return f"{_RECIPES[step.name]} {step.subject}".rstrip()


def explain(error: UserError) -> str:
    """Return the error's message, with the commands that can be typed."""
    return "\n".join([str(error), *(f"  type: {recipe(step)}" for step in error.steps)])
