"""What a schedule does at its ticks if it does not create a run."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import WrongUse
from app.core.schedules.work import TickWork

REFRESH = "refresh"
ACTIONS = (REFRESH, "snapshot", "backup", "export")

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Action:
    """What a schedule does.

    Attributes:
        check: returns the options as they are stored. Raises UserError if the work could not be
            done with them, as far as can be told beforehand.
        perform: does the work of a tick, and calls :meth:`~.work.TickWork.done` as its last step.
            It may be begun again after any of its steps, so each step has to be idempotent. It
            cleans up when it is cancelled.
    """

    check: Callable[[AsyncConnection, Mapping[str, Any]], Awaitable[dict[str, Any]]]
    perform: Callable[[TickWork], Awaitable[None]]


Actions = Mapping[str, Action]
"""By name, without ``refresh``, which the engine does itself."""

NO_ACTIONS: Actions = {}


def parse(model: type[M], options: Mapping[str, Any]) -> M:
    """Return options that somebody gave.

    Raises:
        WrongUse: one is unknown, is missing, or has a value that is not allowed.
    """
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in problem["loc"])
        raise WrongUse(
            f"the option {name[:60]!r}: {problem['msg'][:1].lower()}{problem['msg'][1:]}",
            allowed=", ".join(model.model_fields),
        ) from None
