"""Limits how many exports a process executes at a time."""

from app.core.errors import KidneyGeneticsError

MAX_EXPORTS = 2
"""Exports at a time. Each has a process and a session of PostgreSQL of its own."""

RETRY_AFTER = 15
"""Seconds after which a client may ask again: a large export takes about so long."""


class TooManyExports(KidneyGeneticsError):
    """All slots are taken."""


class ExportSlots:
    """Counts the exports of this process."""

    def __init__(self) -> None:
        self._taken = 0

    def __enter__(self) -> None:
        """Take a slot.

        Raises:
            TooManyExports: there is none.
        """
        if self._taken >= MAX_EXPORTS:
            raise TooManyExports
        self._taken += 1

    def __exit__(self, *_: object) -> None:
        """Give the slot back."""
        self._taken -= 1
