"""Notifications: what people are told, and the channels that carry it.

What happens is written in the transaction in which it happens: as an event of a run, or by
`outbox`. A `notifier` in each process looks every few seconds. `run_events` decides what to tell of
events, `incidents` watches states and sees what has ended, `planning` decides who is told and when
by `rules`, and `sending` delivers it. `message` is what a channel sends, and `channels` are what
there is to send it with. Without PostgreSQL, `at_once` sends a test message, or that a unit of
systemd failed. `ping` calls an address for as long as all is well. `execution` says for it, and for
`incidents`, whether somebody executes runs.
"""

__all__ = [
    "at_once",
    "channels",
    "checks",
    "incidents",
    "message",
    "notice",
    "notifier",
    "outbox",
    "ping",
    "rules",
    "run_events",
    "unit_failure",
    "views",
]
"""The modules that others may use."""
