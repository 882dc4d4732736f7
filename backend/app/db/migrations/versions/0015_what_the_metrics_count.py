"""what the metrics count: durations, traffic, and totals that outlive the runs"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"

# Events of versions before this one have no duration.
#
# A run whose worker was lost for the last time fails at once: its attempt ended with the loss, and
# this `failed`, which names no worker, ends no attempt.
_FUNCTION = """
CREATE FUNCTION run_events_take_time() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  since timestamptz;
BEGIN
  IF NEW.event IN ('claimed', 'taken over') THEN
    SELECT greatest(at, CAST(detail ->> 'not_before' AS timestamptz)) INTO since FROM run_events
    WHERE run_id = NEW.run_id AND event IN ('created', 'reopened', 'lost', 'interrupted',
      'released', 'attempt failed', 'waiting', 'timed out')
    ORDER BY id DESC LIMIT 1;
  ELSIF NEW.event IN ('succeeded', 'attempt failed', 'lost', 'interrupted', 'released', 'waiting',
      'timed out', 'cancelled')
    OR (NEW.event = 'failed' AND jsonb_exists(NEW.detail, 'worker'))
  THEN
    SELECT at INTO since FROM run_events
    WHERE run_id = NEW.run_id AND epoch = NEW.epoch AND event IN ('claimed', 'taken over')
    ORDER BY id DESC LIMIT 1;
  END IF;
  IF isfinite(since) AND isfinite(NEW.at) THEN
    -- PostgreSQL's clock may have been set back
    NEW.microseconds = greatest(0, extract(epoch FROM NEW.at - since) * 1000000);
  END IF;
  RETURN NEW;
END $$
"""

_TRIGGER = """
CREATE TRIGGER run_events_take_time BEFORE INSERT ON run_events
FOR EACH ROW EXECUTE FUNCTION run_events_take_time()
"""

_TRAFFIC = {
    "requests": "number of requests to the upstream",
    "rate_limited": "number of answers with the status 429",
    "budget_seconds": "time that requests have waited for the request budget",
    "bytes_received": "bytes of bodies as they were sent, mostly compressed",
}


def upgrade() -> None:
    op.add_column(
        "run_events",
        sa.Column(
            "microseconds",
            sa.BigInteger(),
            comment="time that ended with it: in the queue, of recovery, or of an attempt",
        ),
    )
    op.execute(_FUNCTION)
    op.execute(_TRIGGER)
    for name in ("rate_limited", "budget_seconds", "bytes_received"):
        op.add_column("run_sources", _traffic(name, big=name == "bytes_received"))
    # the newest runs of a source are found without a look at all others
    op.create_index("run_sources_source_run_id_idx", "run_sources", ["source", "run_id"])
    op.create_table(
        "event_totals",
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column(
            "bucket",
            sa.Integer(),
            nullable=False,
            comment="of the duration, see app.core.runs.buckets; -1: events without one",
        ),
        sa.Column(
            "events",
            sa.BigInteger(),
            nullable=False,
            comment="number of events of the runs that were removed",
        ),
        sa.Column("microseconds", sa.BigInteger(), nullable=False, comment="sum of the durations"),
        sa.PrimaryKeyConstraint("event", "bucket", name="event_totals_pkey"),
    )
    op.create_table(
        "source_totals",
        sa.Column("source", sa.Text(), nullable=False),
        *(_traffic(name, big=True) for name in _TRAFFIC),
        sa.Column(
            "commits",
            postgresql.ARRAY(sa.BigInteger()),
            server_default="{}",
            nullable=False,
            comment="number of commits by duration, see app.core.runs.buckets",
        ),
        sa.Column(
            "commit_seconds",
            sa.Double(),
            server_default="0",
            nullable=False,
            comment="sum of the durations",
        ),
        sa.Column(
            "succeeded_at",
            sa.DateTime(timezone=True),
            comment="when a run that was removed last completed the source",
        ),
        sa.PrimaryKeyConstraint("source", name="source_totals_pkey"),
    )


def _traffic(name: str, *, big: bool) -> "sa.Column[Any]":
    kind: type[sa.types.TypeEngine[Any]] = sa.BigInteger if big else sa.Integer
    if name == "budget_seconds":
        kind = sa.Double
    return sa.Column(name, kind, server_default="0", nullable=False, comment=_TRAFFIC[name])


def downgrade() -> None:
    op.drop_table("source_totals")
    op.drop_table("event_totals")
    op.drop_index("run_sources_source_run_id_idx", table_name="run_sources")
    for name in ("bytes_received", "budget_seconds", "rate_limited"):
        op.drop_column("run_sources", name)
    op.execute("DROP TRIGGER run_events_take_time ON run_events")
    op.execute("DROP FUNCTION run_events_take_time()")
    op.drop_column("run_events", "microseconds")
