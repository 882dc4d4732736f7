"""The exceptions of the job engine.

::

    KidneyGeneticsError
    ├── UserError       the user can mend it: shown without a traceback
    │   ├── WrongUse    the call itself is wrong (exit status 2)
    │   ├── NotFound    there is no such run or gene
    │   └── Conflict    not in this state, or another run covers a source of it
    ├── NotHere         this worker cannot take the run now; another, or later this one, can
    ├── Wait            this attempt can only wait: it goes back to the queue and costs no try
    └── Superseded      the attempt's epoch has passed: it stops and changes nothing
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a person can do about an error.

    The engine does not know how: the command line names a recipe, the API a call.

    Attributes:
        name: of what is to be done.
        subject: what it is to be done to, such as the number of a run.
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


def cancel_run(run_id: int) -> Step:
    """Return the step that cancels a run."""
    return Step("cancel the run", run_id)


def retry_run(run_id: int) -> Step:
    """Return the step that retries a run."""
    return Step("retry the run", run_id)


def show_run(run_id: int) -> Step:
    """Return the step that shows a run with its events."""
    return Step("show the run", run_id)


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
    """The root of the project's own exceptions."""


class UserError(KidneyGeneticsError):
    """What was found, what is allowed, and what mends it.

    Args:
        found: what is wrong, in a sentence.
        allowed: what would be right.
        remedy: the change that mends it.
        steps: what can be typed to that end.
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
            lines.append(f"  to mend it: {remedy}")
        super().__init__("\n".join(lines))


class WrongUse(UserError):
    """The call, or a setting, cannot be used as it stands."""

    exit_code = 2


class NotFound(UserError):
    """What was named does not exist."""


class Conflict(UserError):
    """What was asked for contradicts a run that is there."""


class NotHere(KidneyGeneticsError):
    """This worker cannot take the run now, and that is no matter of the run's epoch."""


class Wait(KidneyGeneticsError):
    """The attempt cannot go on now, and it is nobody's failure: an upstream or Redis is away.

    Args:
        what: what is waited for, as an operator would name it ("redis", or an upstream host).
        seconds: when to try again.
        reason: why, if there is more to say than what is waited for.
    """

    def __init__(self, what: str, seconds: float, reason: str | None = None) -> None:
        super().__init__(f"waiting for {what}, {seconds:g} s")
        self.what = what
        self.seconds = seconds
        self.reason = reason


class Superseded(KidneyGeneticsError):
    """The run was cancelled or given to another worker while this attempt was at it."""
