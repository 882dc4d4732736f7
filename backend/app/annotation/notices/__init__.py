"""The notifications about sources and their data, which the job engine does not know.

`releases` describes what a new release changed. `outages` finds services that are down, `staleness`
finds stale data, and `schedules` finds failing schedules. `notifier` passes them to the job engine,
and `checks` has the doctor's check.
"""

__all__ = ["checks", "notifier", "outages"]
"""The modules that others may use."""
