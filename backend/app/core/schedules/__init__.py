"""Schedules: what is done at fixed times, or when the data are too old, without anybody asking.

`schedule` is what a schedule is and which of its ticks are due, `cron` reckons with its five fields
and time zones, `ticks` creates the runs, `operations` adds, pauses and removes schedules, and
`views` shows them.

Whatever else a schedule does than to create a run is an action. `actions` says what an action is,
`work` who does the work of a tick and how it ended, and `backups` takes backups. `writing` does the
ticks that write a file, `files` names and removes files, and `keeping` says which are kept.
`checks` are those of the doctor. The annotation knows the other actions.
"""

__all__ = [
    "actions",
    "backups",
    "checks",
    "files",
    "operations",
    "schedule",
    "ticks",
    "views",
    "work",
    "writing",
]
"""The modules that others may use."""
