"""What executes runs, and takes over the runs of dead workers."""

__all__ = ["checks", "chores", "dispatcher", "engine", "executor", "metrics", "timing", "views"]
"""The modules that others may use."""
