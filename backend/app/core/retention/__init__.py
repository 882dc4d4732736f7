"""Removes rows that are no longer needed: old runs, ticks, notifications and dead workers.

`settings` defines after how many days, and `chores` are the periodic tasks of the workers. Each
other module handles one kind of row: which rows can be removed, and which stay because something
refers to them.
"""

__all__ = ["chores", "notifications", "runs", "settings", "ticks", "workers"]
"""The modules that others may use."""
