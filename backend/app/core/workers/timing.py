from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """The intervals and timeouts of the engine, in seconds."""

    heartbeat: float = 1.0
    """The heartbeat interval of a worker. After each heartbeat, the worker also checks its own
    attempts and recovers the runs of dead workers."""

    stale: float = 30.0
    """A worker whose last heartbeat is older counts as dead: its process is frozen, or its host is
    lost."""

    settle: float = 5.0
    """For this long after it has reconnected or its heartbeat failed, a worker takes over no runs:
    a restart of PostgreSQL drops every lock at once, and the other workers need a moment to
    reconnect too."""

    begin: float = 5.0
    """The death of a worker that has been up for less time does not count against its runs. Such a
    worker claims no run that must run alone."""

    wake_again: float = 10.0
    """A ready run gets another wake-up this long after the last one."""

    stop: float = 8.0
    """The time that the work of an attempt has to end after it was cancelled: by a stop, a timeout
    or a newer epoch."""


DEFAULT_TIMING = Timing()
