"""Schedules: work that is started at fixed times, or when data are too old or a release appears.

`schedule` defines a schedule and decides which of its ticks are due, `cron` computes with the five
fields and time zones, `ticks` creates the runs, `operations` adds, pauses and removes schedules,
and `views` has read-only views.

Anything that a schedule does other than creating a run is an action. `actions` defines actions,
`work` records which worker performs the action of a tick and how it ended, and `backups` is the
action that takes backups. `writing` performs the actions that write a file, `files` names and
removes files, and `keeping` decides which files are kept. `checks` are the doctor's checks. The
other actions are in `app.annotation`.
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
