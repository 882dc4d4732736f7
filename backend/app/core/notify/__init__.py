"""Notifications, and the channels that deliver them.

Whatever people should know is recorded in the transaction in which it happens: as an event of a
run, or by `outbox`. A `notifier` in each process polls every few seconds. `run_events` turns events
into notices, `incidents` opens and closes incidents, `planning` decides by `rules` when each
notification is sent through which channel, and `sending` delivers it. `message` defines what a
channel sends, and `channels` has the channels. `at_once` works without PostgreSQL: it sends a test
message, or the report that a systemd unit failed. `ping` calls an address while everything works.
`execution` finds out for `ping` and `incidents` whether any worker executes runs.
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
