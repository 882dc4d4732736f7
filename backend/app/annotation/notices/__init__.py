"""What people are told of sources and their data, which the job engine does not know.

`releases` says what a new release changed, `outages` which services are down, `staleness` which
data are too old, and `schedules` which schedules fail. `notifier` hands them to the job engine.
`checks` are those of the doctor.
"""

__all__ = ["checks", "notifier", "outages"]
"""The modules that others may use."""
