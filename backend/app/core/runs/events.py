from enum import StrEnum


class Event(StrEnum):
    """What can happen to a run. `run_events.detail` holds the worker, the reason and numbers."""

    CREATED = "created"
    """A person, a schedule or a client requested it."""

    CLAIMED = "claimed"
    """A worker claimed it from the queue."""

    TAKEN_OVER = "taken over"
    """A worker claimed it from the queue after its former worker was lost."""

    LOST = "lost"
    """The worker that executed it died or froze. The run went back to the queue, or failed after
    too many losses."""

    FENCED = "fenced"
    """An attempt found that its epoch had passed, and stopped without changing anything."""

    INTERRUPTED = "interrupted"
    """The worker was stopped cleanly and returned the run to the queue."""

    RELEASED = "released"
    """The worker returned the run to the queue, because its attempt could not record its end."""

    ATTEMPT_FAILED = "attempt failed"
    """The work raised an error. The next attempt starts in `retry_in` seconds."""

    WAITING = "waiting"
    """The attempt could only wait, for `waiting_for`. The run went back to the queue."""

    TIMED_OUT = "timed out"
    """The attempt reached its timeout after it had made progress. The next one continues."""

    HELD = "held"
    """The answers of `source` look wrong. They are not stored until somebody accepts them."""

    RELEASE_ARRIVED = "release arrived"
    """The answers of `source` are those of `release`, which is new `since` the former refresh."""

    UNKNOWN_TERMS = "unknown terms"
    """The answers of `source` contain `terms` that this version does not know, with their numbers.
    """

    ACCEPTED = "accepted"
    """Somebody accepted what was held of `source`: `by` says who, and `note` why."""

    REOPENED = "reopened"
    """Somebody retried the failed or cancelled run, or accepted what it held."""

    CANCELLED = "cancelled"
    """Somebody cancelled it."""

    SUCCEEDED = "succeeded"
    """All of its work is done."""

    FAILED = "failed"
    """It ended without success; `reason` says why."""
