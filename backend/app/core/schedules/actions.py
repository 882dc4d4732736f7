"""Actions: what a schedule does at its ticks instead of creating a run."""

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
    """The implementation of an action.

    Attributes:
        check: validates options, and returns them as they are stored. It raises a UserError if it
            can foresee that the action would fail with them.
        perform: performs the action of a tick, and calls :meth:`~.work.TickWork.done` as its last
            step. It may be restarted after any step, so each step must be idempotent. It must clean
            up when it is cancelled.
    """

    check: Callable[[AsyncConnection, Mapping[str, Any]], Awaitable[dict[str, Any]]]
    perform: Callable[[TickWork], Awaitable[None]]


Actions = Mapping[str, Action]
"""The actions by name, without ``refresh``, which the engine does itself."""

NO_ACTIONS: Actions = {}


def parse(model: type[M], options: Mapping[str, Any]) -> M:
    """Validate the options of an action.

    Raises:
        WrongUse: an option is unknown, is missing, or has a value that is not allowed.
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
