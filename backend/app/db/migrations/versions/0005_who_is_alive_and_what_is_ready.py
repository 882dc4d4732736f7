"""who is alive and what is ready, defined once, and events in the words of the glossary"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WORKER_LIVENESS = """
CREATE VIEW worker_liveness AS
SELECT id, holds_lock, frozen, holds_lock AND NOT frozen AS alive
FROM (
  SELECT w.id, l.objid IS NOT NULL AS holds_lock,
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


def upgrade() -> None:
    # workers of the former version go on meanwhile: they write rung_at and the former names
    op.add_column(
        "runs",
        sa.Column(
            "wake_up_sent_at",
            sa.DateTime(timezone=True),
            comment="by recovery; null: it sends one with its next pass",
        ),
    )
    op.alter_column(
        "runs",
        "rung_at",
        existing_type=sa.DateTime(timezone=True),
        comment="written by workers of versions before 0.2 only",
        existing_comment="by recovery; null: at its next look",
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
