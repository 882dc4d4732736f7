"""who is alive and what is ready, defined once, and events in the words of the glossary"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WORKER_LIVENESS = """
CREATE VIEW worker_liveness AS
SELECT id, holds_lock, frozen, holds_lock AND NOT frozen AND NOT stopped AS alive
FROM (
  -- the session of a worker that has stopped ends a moment later
  SELECT w.id, w.stopped_at IS NOT NULL AS stopped, l.objid IS NOT NULL AS holds_lock,
    w.heartbeat_at < clock_timestamp() - make_interval(secs => w.heartbeat_timeout) AS frozen
  FROM workers w LEFT JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted
    AND l.classid = 'workers'::regclass::oid AND l.objid::bigint = w.id AND l.objsubid = 2
    -- pg_locks spans all databases of a server
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
) life
"""

READY_RUNS = """
CREATE VIEW ready_runs AS
SELECT id FROM runs WHERE state = 'queued'
  AND (not_before IS NULL OR not_before <= now() OR not_before > now() + interval '25 h')
"""

# what stood in the names is in the detail, too
RENAMED = """
UPDATE run_events SET
  event = CASE
    WHEN event = 'started' THEN 'claimed'
    WHEN event = 'put back' THEN 'released'
    WHEN event = 'finished' THEN coalesce(detail ->> 'state', 'failed')
    WHEN event LIKE 'retried in %' THEN 'attempt failed'
    WHEN event LIKE 'waiting for %' THEN 'waiting'
    ELSE event END,
  detail = CASE
    WHEN event LIKE 'retried in %' THEN detail || jsonb_strip_nulls(jsonb_build_object(
      'retry_in', CAST(substring(event FROM '[0-9]+') AS numeric)))
    WHEN event LIKE 'waiting for %' THEN detail || jsonb_build_object(
      'waiting_for', substr(event, 13))
    WHEN event = 'finished' THEN detail - 'state'
    ELSE detail END
WHERE event IN ('started', 'put back', 'finished')
  OR event LIKE 'retried in %' OR event LIKE 'waiting for %'
"""

# plainer words
COMMENTS = {
    "genes.hgnc_id": "HGNC's identifier with its prefix, such as HGNC:1100",
    "genes.symbol": "HGNC's approved symbol",
    "genes.ensembl_gene_id": "Ensembl's gene id, without its version",
    "runs.task": "name of the job",
    "runs.sources": "requested sources, sorted and unique; null means all",
    "runs.epoch": "increases whenever the run changes hands; identifies the attempt",
    "runs.worker_id": "worker that executes the run, or executed it last",
    "runs.attempts": "1 + number of failures",
    "runs.interruptions": "number of clean stops of a worker",
    "runs.losses": "number of workers that died",
    "runs.losses_alone": "of losses_in_a_row, those that count against the run",
    "runs.arq_job_id": "id of the job, if a client of arq enqueued it",
    "runs.rung_at": "written only by workers of versions before 0.2",
    "run_sources.position": "order in which the run asks its sources",
    "run_sources.total": "genes to refresh; null until the source has started",
    "run_sources.requests": "number of requests to the upstream",
    "run_sources.weight_at_start": "weight_done when the current attempt started the source",
    "run_sources.accept_losses": "an operator accepted implausible answers of this source",
    "workers.session": "application_name of the worker's connections",
    "workers.queue": "queue that the worker listens to",
    "workers.slots": "number of runs that the worker executes at a time",
    "workers.loop_lag": "longest delay of the event loop in the last minute, in seconds",
    "workers.clock_ahead": "seconds by which the host's clock is ahead of PostgreSQL's",
    "annotations.release": "release of the source that the last good answer is from",
    "annotations.reason": "why the last check could not find out the answer",
    "annotations.doubted": "the last check said absent after found, and is not accepted yet",
    "accepted_files.name": "name of the bulk file",
    "accepted_files.rows": "number of rows without the header",
    "accepted_files.genes": "number of different genes in all rows",
    "accepted_files.release": "release of the source",
}


def upgrade() -> None:
    # workers of the former version go on meanwhile: they write rung_at and the former names
    op.add_column(
        "runs",
        sa.Column(
            "wake_up_sent_at",
            sa.DateTime(timezone=True),
            comment="when recovery last sent a wake-up; null: at the next recovery pass",
        ),
    )
    op.add_column(
        "workers",
        sa.Column(
            "heartbeat_timeout",
            sa.Double(),
            server_default="30",
            nullable=False,
            comment="seconds after which it counts as frozen without a heartbeat",
        ),
    )
    op.execute(WORKER_LIVENESS)
    op.execute(READY_RUNS)
    op.execute(RENAMED)
    for column, words in COMMENTS.items():
        comment = words.replace("'", "''").replace(":", r"\:")
        op.execute(sa.text(f"COMMENT ON COLUMN {column} IS '{comment}'"))
