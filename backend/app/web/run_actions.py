"""What an operator can do about a run."""

from collections.abc import Collection
from dataclasses import dataclass

from app.api.services import Services
from app.core.runs import operations


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a button does.

    Attributes:
        states: of the runs that it can be done to.
        done: the word for a run that it was done to.
    """

    states: Collection[str]
    done: str


ACTIONS = {
    "cancel": Action(("queued", "running"), "cancelled"),
    "retry": Action(("failed", "cancelled"), "queued again"),
}


async def act(services: Services, action: str, run_id: int) -> None:
    """Do something to a run.

    Raises:
        NotFound: there is no such run.
        Conflict: the state of the run, or another run, does not allow it.
    """
    async with services.db.begin() as connection:
        if action == "cancel":
            await operations.cancel(connection, run_id)
            return
        ref = await operations.retry(connection, run_id)
    await services.dispatcher.send([ref])
