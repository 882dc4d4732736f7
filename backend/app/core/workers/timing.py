from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How often the engine acts, and how long it waits before it judges. All in seconds."""

    heartbeat: float = 1.0
    """Between two heartbeats of a worker. With each it also checks its own attempts and recovers
    the runs of dead workers."""

    stale: float = 30.0
    """A worker whose heartbeat is older is frozen, or its host is lost."""

    settle: float = 5.0
    """After it has reconnected, a worker judges nobody for this long: a restart of PostgreSQL drops
    every lock at once, and the other workers need a moment to reconnect too."""

    begin: float = 5.0
    """A worker that dies before it has been up for this long was not killed by what it executes. It
    takes no run that is suspected of killing its workers."""

    wake_again: float = 10.0
    """A ready run gets another wake-up when the former one is this old."""

    stop: float = 8.0
    """How long a stopping worker gives an attempt to end."""


DEFAULT_TIMING = Timing()
