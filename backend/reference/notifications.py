"""Generates the documentation of notifications from the enumeration of their kinds."""

from app.annotation.data.fields import fields_of
from app.annotation.sources import SOURCES
from app.core.notify.message import Kind, Severity
from app.core.notify.notice import SEVERITIES
from reference.markdown import table

_MEANING = {
    Kind.RUN_FAILED: "A run failed, and is not tried again automatically.",
    Kind.SOURCE_HELD: "The new answers of a source look wrong, and are held.",
    Kind.SOURCE_DOWN: "A run has been waiting for a service for `NOTIFY_DOWN_AFTER` hours.",
    Kind.DATA_STALE: "More than 5 % of the genes have stale answers of a source: they were not"
    " checked for the time for which they stay fresh, plus one hour. No run refreshes them.",
    Kind.NOBODY_EXECUTES: "No worker has been alive for 5 minutes, or a run has been ready for 15"
    " minutes while a worker was idle.",
    Kind.TASK_FAILED: "The last tick of a schedule failed after all attempts, or was refused.",
    Kind.RECOVERED: "One of the problems above has ended.",
    Kind.RELEASE_ARRIVED: "A run has refreshed a source to a new release. The message has the"
    " number of genes that changed.",
    Kind.SNAPSHOT_TAKEN: "A person took a snapshot.",
    Kind.UNIT_FAILED: "A systemd unit of the product failed.",
    Kind.DIGEST: "The daily digest is due. It contains everything since the previous one.",
    Kind.TEST: "Somebody requested a test message.",
}

_RECOVERED = {
    Kind.RUN_FAILED: "A run has refreshed the sources that did not succeed.",
    Kind.SOURCE_HELD: "A run has refreshed the source.",
    Kind.SOURCE_DOWN: "A run has refreshed the sources that ask the service.",
    Kind.DATA_STALE: "The answers are fresh.",
    Kind.TASK_FAILED: "A later tick of the schedule has succeeded, or the schedule was removed.",
    Kind.NOBODY_EXECUTES: "A worker is alive and claims ready runs.",
}


def kinds() -> str:
    """Return a table of all kinds: what each reports, and what ends it."""
    rows = [
        [
            f"`{kind}`",
            SEVERITIES.get(kind, Severity.INFO),
            _MEANING[kind],
            _RECOVERED.get(kind, ""),
        ]
        for kind in Kind
    ]
    return table(["Kind", "Severity", "Sent when", "Recovered when"], rows)


def gains() -> str:
    """Return a table of the fields whose gains a message counts."""
    rows = [
        [f"`{field.name}`", field.gain, field.definition]
        for source in SOURCES
        for field in fields_of(source).values()
        if field.gain is not None
    ]
    return table(["Field", "Text in the message", "Definition of the field"], rows)
