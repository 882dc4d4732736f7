from pydantic import Field

from app.core.config import Settings

SECTION = "How long things are kept"

MAX_DAYS = 100_000
"""So long that nothing is ever removed."""

LEAST_RUN_DAYS = 31
"""The doctor looks at what the runs of the last 30 days recorded (`runs.unknown-terms`)."""


class RetentionSettings(Settings):
    """After how many days the rows that record what happened are removed."""

    run_days: int = Field(
        400, ge=LEAST_RUN_DAYS, le=MAX_DAYS, json_schema_extra={"section": SECTION}
    )
    """Days after its end until a run is removed with its events. A run stays longer while an
    annotation, a former answer, a tick or an open incident names it, and the last runs of each
    source and of each request always stay. `100000` keeps all runs."""

    tick_days: int = Field(400, ge=1, le=MAX_DAYS)
    """Days until the tick of a schedule is removed. The last tick of each schedule stays, and the
    last one that was not skipped."""

    notification_days: int = Field(400, ge=1, le=MAX_DAYS)
    """Days until a notification is removed, and after its end an incident. What is still to be
    delivered stays, and so does an open incident with its notifications."""

    worker_days: int = Field(30, ge=1, le=MAX_DAYS)
    """Days after its last heartbeat until the row of a dead worker is removed. It stays longer
    while a run, an event or a tick names it."""
