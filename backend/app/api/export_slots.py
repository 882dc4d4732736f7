"""Limits the number of concurrent exports of a process."""

from app.core.errors import KidneyGeneticsError

MAX_EXPORTS = 2
"""The maximum number of concurrent exports. Each has its own process and PostgreSQL session."""

RETRY_AFTER = 15
"""Seconds after which a client may retry: the approximate duration of a large export."""


class TooManyExports(KidneyGeneticsError):
    """All slots are in use."""


class ExportSlots:
    """Counts the running exports of this process."""

    def __init__(self) -> None:
        self._taken = 0

    def __enter__(self) -> None:
        """Acquire a slot.

        Raises:
            TooManyExports: all slots are in use.
        """
        if self._taken >= MAX_EXPORTS:
            raise TooManyExports
        self._taken += 1

    def __exit__(self, *_: object) -> None:
        """Release the slot."""
        self._taken -= 1
