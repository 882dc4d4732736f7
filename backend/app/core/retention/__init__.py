"""Removes rows that nobody needs any more: old runs, ticks, notifications, and dead workers.

`settings` says after how many days, `chores` are what workers do about it, and each other module
knows one kind of row: which of them can go, and which stay because something refers to them.
"""

__all__ = ["chores", "notifications", "runs", "settings", "ticks", "workers"]
"""The modules that others may use."""
