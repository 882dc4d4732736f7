"""Schedules: at which times, or when the data are how old, a run is created without anybody asking.

`schedule` is what a schedule is and which of its ticks are due, `cron` reckons with its five fields
and time zones, `ticks` creates the runs, `operations` adds, pauses and removes schedules, and
`views` shows them.
"""

__all__ = ["operations", "schedule", "ticks", "views"]
"""The modules that others may use."""
