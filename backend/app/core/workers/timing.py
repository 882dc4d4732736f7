from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How often the engine looks, and how long it waits before it judges. All in seconds."""

    beat: float = 1.0
    """Between two looks of a worker: its heartbeat, its own attempts, other workers' deaths."""

    stale: float = 30.0
    """A heartbeat older than this is a frozen process or a lost host."""

    settle: float = 5.0
    """After its own reconnect a worker judges nobody for this long: a restart of PostgreSQL
    drops every lock at once, and the others need a moment to come back too."""

    begin: float = 5.0
    """A worker that has not been up for so long has hardly begun: that it dies is not the fault of
    what it runs, and it takes no run that is suspected of killing its workers."""

    ring_again: float = 10.0
    """A run that is queued and was rung this long ago is rung again."""

    stop: float = 8.0
    """How long a stopping worker gives an attempt to come to its end."""


DEFAULT_TIMING = Timing()
