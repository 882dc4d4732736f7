"""Workers: they execute runs, recover the runs of dead workers, and do periodic chores."""

__all__ = ["checks", "chores", "dispatcher", "engine", "executor", "metrics", "timing", "views"]
"""The modules that others may use."""
