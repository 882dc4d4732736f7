"""Workers: they execute runs, recover the runs of dead workers, and do periodic chores.

`engine` is a worker. Its `supervisor` sends the heartbeats of `liveness`, and starts `recovery`,
`chores` and the `actions` of schedules. `claiming` takes queued runs, and `executor` executes them
where no arq does. A `dispatcher` sends wake-ups. `views` and `metrics` show the workers and the
queue.
"""

__all__ = ["checks", "chores", "dispatcher", "engine", "executor", "metrics", "timing", "views"]
"""The modules that others may use."""
