from pydantic import Field

from app.core.config import Settings

SECTION = "How long things are kept"

MAX_DAYS = 100_000
"""Days. With this value, nothing is ever removed."""

MIN_RUN_DAYS = 31
"""The doctor checks what the runs of the last 30 days recorded (`runs.unknown-terms`)."""


class RetentionSettings(Settings):
    """The number of days after which rows that record past events are removed."""

    run_days: int = Field(400, ge=MIN_RUN_DAYS, le=MAX_DAYS, json_schema_extra={"section": SECTION})
    """Days after its end until a run and its events are removed. A run stays longer while an
    annotation, a replaced answer, a tick or an open incident refers to it. The last runs of each
    source and of each request always stay. `100000` keeps all runs."""

    tick_days: int = Field(400, ge=1, le=MAX_DAYS)
    """Days until a tick of a schedule is removed. The last tick of each schedule always stays, and
    so does the last one that was not skipped."""

    notification_days: int = Field(400, ge=1, le=MAX_DAYS)
    """Days until a notification is removed, and days after its end until an incident is removed.
    Undelivered notifications, and open incidents with their notifications, stay."""

    worker_days: int = Field(30, ge=1, le=MAX_DAYS)
    """Days after its last heartbeat until the row of a dead worker is removed. The row stays longer
    while a run, an event or a tick refers to it."""
