"""The job engine. It knows runs, and not genes.

A run is what somebody asked for. An attempt is one worker's execution of a run.

- `runs`: what a run is, every statement that changes its state, and what is shown of it.
- `schedules`: when runs are created without anybody asking.
- `notify`: what people are told, and the channels that carry it.
- `workers`: what executes runs: claims, heartbeats, and recovery from dead workers.
- `retention`: which rows are removed when they are old, and which stay.
- `arq`: how workers are told that a run is ready. No other room imports arq.
- `redis`: the connection to Redis, and the request budgets that are kept there.
- `postgres`: whether the database can be used, and backups.
- `process`: what belongs to any process: logs, secrets, signals, systemd.
- `text`: text that people read and type, and text from outside.

`config` has the settings, `errors` the exceptions, and `checks` the words of the doctor's checks.
`arq_worker` puts these together for ``arq app.core.arq_worker.WorkerSettings``, and `app.main` for
the API. They hand the engine the function that does the work of a run::

    engine = Engine(settings, kind="api", dispatcher=InProcessDispatcher(), work=work)
    await engine.start()

The names below are all that the work of a run, and what starts an engine, need. They are imported
when they are first used, so a command that needs none of them starts fast.
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
