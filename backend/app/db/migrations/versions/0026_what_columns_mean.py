"""what columns mean, in plain words"""

from alembic import op

revision = "0026"
down_revision = "0025"

_COMMENTS: dict[str, dict[str, str]] = {
    "rollbacks": {
        "snapshot": "name of the snapshot, if the time was given by one",
    },
    "annotation_history": {
        "valid_from": "when the answer became valid",
        "valid_to": "when the answer was replaced",
        "run_id": "run that replaced the answer; null if a rollback did",
        "rollback_id": "rollback that replaced the answer, if any",
        "changed_run_id": (
            "run that stored the answer; null if a rollback or a version before 0.2 did"
        ),
        "fetched_at": "when the answer was last fetched",
        "fetched_run_id": "run that last fetched the answer",
        "origin_ids": "all origins that gave this answer, in order",
        "origin_since": "since when each of origin_ids was the latest one",
    },
    "history_horizon": {
        "complete_since": (
            "answers replaced before this time were removed, except those valid at a snapshot"
        ),
    },
    "snapshots": {
        "at": "time whose answers the snapshot contains",
        "by": "who took the snapshot",
    },
    "event_totals": {
        "bucket": (
            "bucket of the duration (app.core.runs.buckets); -1 for events without a duration"
        ),
        "events": "number of events of removed runs",
        "microseconds": "sum of their durations",
    },
    "source_totals": {
        "requests": "number of requests to the upstream services",
        "budget_seconds": "seconds for which requests have waited for the request budget",
        "bytes_received": "bytes of response bodies as they were sent, mostly compressed",
        "commits": "number of commits by duration (app.core.runs.buckets)",
        "commit_seconds": "sum of the durations of the commits",
        "succeeded_at": "when a removed run last completed the source",
    },
    "gene_lists": {
        "by": "who added the list, or changed it last",
    },
    "gene_list_genes": {
        "hgnc_id": "HGNC id of a gene, which may not be in the table genes",
    },
    "runs": {
        "mode": "smart or full",
        "state": "queued, running, succeeded, failed or cancelled",
        "attempts": "1 + number of failed attempts",
        "interruptions": "number of attempts that a clean stop of the worker ended",
        "losses": "number of attempts whose worker died",
        "failures_in_a_row": "failed attempts since the last commit",
        "losses_in_a_row": "lost attempts since the last commit",
        "losses_alone": "those of losses_in_a_row that count against the run",
        "not_before": "earliest time at which the queued run may start",
        "waiting_for": "what the queued run waits for, such as a service",
        "error": "why the run, or its last failed attempt, failed",
        "arq_job_id": "id of the arq job, if an arq client created the run",
        "started_at": "when the first attempt started",
        "attempt_started_at": "when the latest attempt started",
        "progressed_at": "when the run last committed answers",
        "wake_up_sent_at": (
            "when recovery last sent a wake-up; null if the next recovery pass has to send one"
        ),
        "traceparent": "span of the HTTP request that created the run, if it was traced",
        "traced_epoch": "last epoch whose spans were sent",
    },
    "run_sources": {
        "position": "position of the source in the run",
        "active": "whether the run has not ended",
        "total": "number of due genes; null until the source has started",
        "done": "number of genes with an answer in this run",
        "found": "those of done that are found",
        "absent": "those of done that are absent",
        "unknown": "those of done that are unknown",
        "requests": "number of requests to the upstream services",
        "budget_seconds": "seconds for which requests have waited for the request budget",
        "bytes_received": "bytes of response bodies as they were sent, mostly compressed",
        "confirmed": "number of stale answers that were kept because the release is the same",
        "weight_done": "part of weight_total that is done",
        "weight_at_start": "weight_done at the start of the current attempt",
        "held": "held answers: reason, examples, genes, files",
        "accepted": "held answers that were accepted, with by, note, time",
        "error": "why the source failed or is held",
        "earlier": "begin, end and state of the source in earlier attempts",
    },
    "run_events": {
        "epoch": "epoch of the attempt to which the event belongs",
        "actor": "who caused the event; null if a worker did",
        "microseconds": (
            "duration that the event ends: in the queue, of recovery, or of the attempt"
        ),
        "noticed": "whether notifications about the event have been created",
    },
    "attempt_logs": {
        "number": "number of the line in the attempt, counting lines that are not kept",
        "at": "time of the line, by the clock of the worker's host",
        "text": "text of the line, without secrets",
    },
    "workers": {
        "version": "version of the worker's code, with a digest of the code",
        "slots": "maximum number of concurrent runs",
        "heartbeat_timeout": "seconds without a heartbeat after which the worker counts as frozen",
        "loop_lag": "maximum delay of the event loop in the last minute, in seconds",
    },
    "annotations": {
        "source": "name of the source",
        "state": "last good answer: found or absent; unknown if there is none",
        "data": "what was found; see the page of the source",
        "release": "latest release of the source that gave the last good answer",
        "fetched_at": "when the last good answer was fetched",
        "checked_at": "when the source was last asked",
        "checked_run_id": "run of the last check",
        "reason": "why the last check is unknown",
        "origin_id": "origin of the last good answer",
        "checked_origin_id": "origin of the last check",
        "valid_from": "when state and data last changed",
        "changed_run_id": (
            "run that stored this answer; null if a rollback or a version before 0.2 did"
        ),
        "origin_ids": "all origins that gave this answer, in order",
        "origin_since": "since when each of origin_ids was the latest one",
    },
    "origins": {
        "release": "release as people read it, a version or a day; null if not stated",
        "marker": "value that differs between releases, such as the ETag of the file",
        "parser": "version of the parser of the source",
        "first_seen_at": "when an answer first had this origin",
    },
    "source_releases": {
        "of": "file or service: which of them states the release",
        "release": "release as people read it, a version or a day",
        "marker": "value that differs between releases, such as the ETag of the file",
        "address": "address that states the release",
    },
    "accepted_files": {
        "genes": "number of distinct genes in all rows",
        "release": "release of the file",
        "address": "address from which the file was downloaded",
    },
    "own_tables": {
        "release": "release as people read it",
        "genes": "number of distinct genes in all rows",
        "columns": "names of the columns in their order, each with its type: number or text",
        "keys": "columns of the table genes by which the rows name their genes",
        "added_by": "who added the file",
        "replaced_at": (
            "when a newer file was added or the source was removed; null for the current file"
        ),
    },
    "own_rows": {
        "line": "line of the file, or row of the sheet",
        "key": "column of the table genes by which the row names its gene; null if it names none",
        "value": "the identifier, or the symbol in upper case",
        "data": "the cells by name of the column",
    },
    "genes": {
        "withdrawn_at": (
            "when a run first found that HGNC had withdrawn it; it is not refreshed any more"
        ),
    },
    "merged_ids": {
        "hgnc_id": "HGNC id of a gene that HGNC merged into another one",
        "successor": "HGNC id of the other gene",
    },
    "gene_names": {
        "hgnc_id": "HGNC id of an approved gene, which may not be in the table genes",
        "kind": "symbol (approved), previous or alias",
        "name": "the name",
    },
    "gene_events": {
        "at": "when the event was noticed",
        "event": "what happened to the gene, such as renamed or merged",
        "run_id": "run that noticed the event; null if an import did",
    },
    "schedules": {
        "cron": "the five cron fields; null for other kinds",
        "zone": "time zone of the cron fields",
        "every": "seconds: maximum age of the data (freshness), or between two checks (release)",
        "options": "options of the action, such as the folder of backups",
        "overlap": "what happens to a tick while a run of these sources is active: skip or queue",
        "catch_up": "a tick that was missed for at most this number of seconds is caught up",
        "next_at": "next tick, or next check of the age of the data",
        "queued_behind": "id of this active run",
        "paused_by": "who paused the schedule last",
        "resumed_by": "who resumed the schedule last",
        "by": "who added the schedule",
    },
    "schedule_ticks": {
        "tick": "when the tick was due",
        "outcome": "see the page Schedules",
        "run_id": "run that was created, or active run that blocked the tick",
        "reason": "reason of the outcome, or what was made",
        "epoch": "counter that increases whenever the work changes hands",
        "failures": "number of times that the work failed or lost its worker",
        "actor": "who started the tick by hand; null if it was due",
    },
    "incidents": {
        "kind": "kind of the notification that opened the incident",
        "subject": "what is affected: a source, or the request of a run; empty: everything",
        "run_id": "run that opened the incident",
        "sources": "sources whose success closes it; null if it closes when its condition ends",
        "times": "number of occurrences",
        "last_at": "when it occurred last",
    },
    "incident_looks": {
        "what": "kind of condition that is checked regularly",
        "looked_at": "when it was last checked",
    },
    "notifications": {
        "message_id": "id of the message, the same in each attempt to deliver it",
        "at": "when the event happened",
        "detail": "the same as data for programs",
        "planned_at": "when the deliveries were created; null if not yet",
    },
    "notification_deliveries": {
        "due_at": "when the next attempt is due; during an attempt, when it counts as interrupted",
        "attempts": "number of attempts",
        "digest_id": "digest that contains the notification, if any",
    },
}
"""The new comments, by table and column."""


def upgrade() -> None:
    for table, comments in _COMMENTS.items():
        for column, comment in comments.items():
            op.alter_column(table, column, comment=comment)


def downgrade() -> None:
    """Leave the comments: they are true of the former version, too."""
