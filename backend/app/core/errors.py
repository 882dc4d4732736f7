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

from typing import IO, Any

import click

from app.core.printable import printable


class KidneyGeneticsError(Exception):
    """The root of the project's own exceptions."""


class UserError(KidneyGeneticsError, click.ClickException):
    """What was found, what is allowed, and the command that mends it.

    It is a :class:`click.ClickException`, so that both our command line and arq's print it as a
    message and not as a traceback.

    Args:
        found: what is wrong, in a sentence.
        allowed: what would be right.
        remedy: the command, or the change, that mends it.
    """

    def __init__(self, found: str, *, allowed: str = "", remedy: str = "") -> None:
        self.found = found
        self.allowed = allowed
        self.remedy = remedy
        lines = [found]
        if allowed:
            lines.append(f"  allowed: {allowed}")
        if remedy:
            lines.append(f"  to mend it: {remedy}")
        super().__init__("\n".join(lines))

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message to stderr, or to ``file``."""
        message = printable(self.format_message())
        click.echo(f"Error: {message}", file=file, err=file is None)


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
        what: what is waited for, as an operator would name it ("ensembl", "redis").
        seconds: when to try again.
    """

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"waiting for {what}, {seconds:g} s")
        self.what = what
        self.seconds = seconds


class Superseded(KidneyGeneticsError):
    """The run was cancelled or given to another worker while this attempt was at it."""
