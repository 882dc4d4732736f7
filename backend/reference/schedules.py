"""Generates the documentation of schedules: the options of actions and the outcomes of ticks."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.annotation.scheduled.exports import ExportOptions
from app.annotation.scheduled.snapshots import SnapshotOptions
from app.core.schedules.backups import BackupOptions
from app.core.schedules.schedule import OUTCOMES
from reference.markdown import table

_MODELS: Mapping[str, type[BaseModel]] = {
    "snapshot": SnapshotOptions,
    "backup": BackupOptions,
    "export": ExportOptions,
}

_NAMES_THE_ACTION = {"prefix", "folder"}
"""Options whose value is a positional argument of the command."""

_OUTCOMES = {
    "ran": "A run was created.",
    "skipped": "A run of these sources was active, an earlier tick was unfinished, or the schedule"
    " was paused.",
    "queued": "The tick waits until an active run has ended.",
    "missed": "No worker was alive at the tick, and it was too late to catch it up.",
    "refused": "The run could not be created, for example because there are no genes.",
    "waiting": "The work waits for a worker, or failed and will be tried again.",
    "running": "A worker is doing the work.",
    "done": "The work is done.",
    "failed": "The work failed or lost its worker 4 times.",
}


def options() -> str:
    """Return a table of the options of all actions."""
    head = ("Action", "Option", "`just schedule-add`", "Default", "Meaning")
    return table(head, (row for action in _MODELS for row in _rows(action)))


def outcomes() -> str:
    """Return a table of the outcomes of ticks."""
    return table(
        ("Outcome", "Meaning"), ((f"`{outcome}`", _OUTCOMES[outcome]) for outcome in OUTCOMES)
    )


def _rows(action: str) -> Iterator[tuple[str, ...]]:
    for name, field in _MODELS[action].model_fields.items():
        typed = action if name in _NAMES_THE_ACTION else name.replace("_", "-")
        meaning = " ".join((field.description or "").split())
        yield f"`{action}`", f"`{name}`", f"`--{typed}`", _default(field), meaning


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "" if field.default in (None, []) else f"`{field.default}`"
