"""The exceptions of the job engine.

::

    KidneyGeneticsError
    ├── UserError       the user can fix it; it is shown without a traceback
    │   ├── WrongUse    the call or a setting is wrong (exit status 2)
    │   ├── NotFound    the named run or gene does not exist
    │   └── Conflict    the state of the run, or another run, does not allow it
    ├── NotHere         this worker cannot execute the run now; the run stays queued
    ├── Wait            the attempt can only wait; the run goes back to the queue
    ├── Superseded      the run has a newer epoch; the attempt stops and changes nothing
    └── NotDelivered    a channel could not deliver a message
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A step by which a person can fix an error.

    The engine only names the step. The command line displays it as a recipe, and the API as a call.

    Attributes:
        name: the action.
        subject: the object of the action, such as the id of a run.
    """

    name: str
    subject: int | str = ""


MIGRATE = Step("migrate the database")
START_SERVERS = Step("start servers")
LIST_RUNS = Step("list the runs")
FIND_SESSION = Step("find the session")
EDIT_SETTINGS = Step("edit the settings")
START_WORKER = Step("start a worker")
START_API = Step("start the API")
INSTALL_TRACES = Step("install what sends traces")
CHECK_INSTALLATION = Step("check the installation")
LIST_NOTIFICATIONS = Step("list the notifications")


def cancel_run(run_id: int) -> Step:
    """Return the step that cancels a run."""
    return Step("cancel the run", run_id)


def retry_run(run_id: int) -> Step:
    """Return the step that retries a run."""
    return Step("retry the run", run_id)


def show_run(run_id: int) -> Step:
    """Return the step that shows a run with its events."""
    return Step("show the run", run_id)


def accept_held(run_id: int, source: str) -> Step:
    """Return the step that accepts what a run holds of a source."""
    return Step("accept what is held", f"{run_id} {source}")


def find_cause(*groups: str) -> Step:
    """Return the step that looks for a problem with these groups of checks."""
    return Step("find the cause", ",".join(groups))


def show_schedule(name: str) -> Step:
    """Return the step that shows a schedule with its ticks."""
    return Step("show the schedule", name)


def run_schedule(name: str) -> Step:
    """Return the step that does a tick of a schedule now."""
    return Step("do a tick of the schedule", name)


def remove_schedule(name: str) -> Step:
    """Return the step that removes a schedule."""
    return Step("remove the schedule", name)


def back_up(file: str) -> Step:
    """Return the step that writes a backup of the database to a file."""
    return Step("back up the database", file)


def restore(file: str) -> Step:
    """Return the step that reads a backup of the database from a file."""
    return Step("restore the database", file)


def annotate(*sources: str) -> Step:
    """Return the step that requests a run of these sources."""
    return Step("annotate", " ".join(sources))


class KidneyGeneticsError(Exception):
    """The base class of the project's own exceptions."""


class UserError(KidneyGeneticsError):
    """An error that the user can fix.

    Args:
        found: the problem, as a sentence.
        allowed: the valid values or states.
        remedy: the change that fixes the problem.
        steps: the steps of the remedy for which the project has a command.
    """

    exit_code = 1

    def __init__(
        self, found: str, *, allowed: str = "", remedy: str = "", steps: tuple[Step, ...] = ()
    ) -> None:
        self.found = found
        self.allowed = allowed
        self.remedy = remedy
        self.steps = steps
        lines = [found]
        if allowed:
            lines.append(f"  allowed: {allowed}")
        if remedy:
            lines.append(f"  remedy: {remedy}")
        super().__init__("\n".join(lines))


class WrongUse(UserError):
    """The call or a setting is wrong."""

    exit_code = 2


class NotFound(UserError):
    """The named run or gene does not exist."""


class Conflict(UserError):
    """The state of the run, or another run, does not allow the requested operation."""


class NotHere(KidneyGeneticsError):
    """This worker cannot execute the run now, although the run is queued."""


class Wait(KidneyGeneticsError):
    """The attempt can only wait, because an upstream service or Redis is unavailable.

    The run goes back to the queue. This does not count as a failed attempt.

    Args:
        what: what the run waits for, in an operator's words: "redis", or an upstream host.
        seconds: seconds until the run is retried.
        reason: details of the cause, if known.
    """

    def __init__(self, what: str, seconds: float, reason: str | None = None) -> None:
        super().__init__(f"waiting for {what}, {seconds:g} s")
        self.what = what
        self.seconds = seconds
        self.reason = reason


class Superseded(KidneyGeneticsError):
    """The run was cancelled or taken over while this attempt executed it."""
