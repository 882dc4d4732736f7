"""What executes runs, takes over the runs of dead workers, and does regular chores."""

__all__ = ["checks", "chores", "dispatcher", "engine", "executor", "metrics", "timing", "views"]
"""The modules that others may use."""
