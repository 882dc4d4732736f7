from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How often the engine acts, and how long it waits before it judges. All in seconds."""

    heartbeat: float = 1.0
    """Between two heartbeats of a worker. With each it also checks its own attempts and recovers
    the runs of dead workers."""

    stale: float = 30.0
    """A worker whose last heartbeat is older counts as frozen, or its host as lost."""

    settle: float = 5.0
    """For this long after it has reconnected, a worker takes no runs from others: a restart of
    PostgreSQL drops every lock at once, and the other workers need a moment to reconnect too."""

    begin: float = 5.0
    """The death of a worker that has been up for less time does not count against its runs. Such a
    worker takes no run that has to run alone."""

    wake_again: float = 10.0
    """A ready run gets another wake-up if the last one was sent this long ago."""

    stop: float = 8.0
    """How long a stopping worker gives an attempt to end."""


DEFAULT_TIMING = Timing()
