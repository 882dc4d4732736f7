"""The job engine. It knows runs but not genes.

A run is a request for some work. An attempt is one worker's execution of a run.

- `runs`: requests, the statements that change the state of a run, and read-only views.
- `schedules`: when runs are created or other work is done automatically.
- `notify`: notifications, and the channels that deliver them.
- `workers`: the execution of runs: claims, heartbeats, and recovery from dead workers.
- `retention`: which old rows are removed, and which stay.
- `arq`: wake-ups, which notify workers that a run is ready. No other room imports arq.
- `redis`: the connection to Redis, and the request budgets that it stores.
- `postgres`: checks of the database, and backups.
- `process`: logs, secrets, signals, systemd, and other parts of any process.
- `text`: formats text for people, and parses text from people and from outside.

`config` has the settings, `errors` the exceptions, and `checks` the types of the doctor's checks.
`arq_worker` assembles these for ``arq app.core.arq_worker.WorkerSettings``, and `app.main` for the
API. They pass the engine the function that does the work of a run::

    engine = Engine(settings, kind="api", dispatcher=InProcessDispatcher(), work=work)
    await engine.start()

The names below are everything that the work of a run, or the start of an engine, needs. They are
imported on first use, so that a command without an engine starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.errors import Superseded, UserError, Wait
    from app.core.runs.attempt import Attempt, Work
    from app.core.runs.events import Event
    from app.core.runs.ref import RunRef
    from app.core.runs.request import RunRequest
    from app.core.workers.dispatcher import Dispatcher, InProcessDispatcher
    from app.core.workers.engine import Engine
    from app.core.workers.executor import Executor

_MODULES = {
    "Attempt": "runs.attempt",
    "Dispatcher": "workers.dispatcher",
    "Engine": "workers.engine",
    "Event": "runs.events",
    "Executor": "workers.executor",
    "InProcessDispatcher": "workers.dispatcher",
    "RunRef": "runs.ref",
    "RunRequest": "runs.request",
    "Superseded": "errors",
    "UserError": "errors",
    "Wait": "errors",
    "Work": "runs.attempt",
}

__all__ = [
    "Attempt",
    "Dispatcher",
    "Engine",
    "Event",
    "Executor",
    "InProcessDispatcher",
    "RunRef",
    "RunRequest",
    "Superseded",
    "UserError",
    "Wait",
    "Work",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
