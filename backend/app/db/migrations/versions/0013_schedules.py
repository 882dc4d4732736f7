"""schedules and their ticks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="cron, freshness or release"),
        sa.Column("cron", sa.Text(), comment="five fields, if the kind is cron"),
        sa.Column(
            "zone", sa.Text(), server_default="UTC", nullable=False, comment="of the cron fields"
        ),
        sa.Column(
            "every",
            sa.Double(),
            comment="seconds: the greatest age of the data (freshness), or between two looks"
            " (release)",
        ),
        sa.Column(
            "sources", postgresql.ARRAY(sa.Text()), comment="sorted and unique; null means all"
        ),
        sa.Column("mode", sa.Text(), server_default="smart", nullable=False),
        sa.Column(
            "overlap",
            sa.Text(),
            server_default="skip",
            nullable=False,
            comment="what to do at a tick while a run of these sources is active: skip or queue",
        ),
        sa.Column(
            "catch_up",
            sa.Double(),
            server_default="86400",
            nullable=False,
            comment="seconds: a tick that was missed for no longer than this is made up for",
        ),
        sa.Column(
            "next_at",
            _TIME,
            nullable=False,
            comment="next tick, or next look at the age of the data",
        ),
        sa.Column("queued_tick", _TIME, comment="tick that waits for an active run to end"),
        sa.Column("queued_behind", sa.BigInteger(), comment="that run"),
        sa.Column(
            "decided_at",
            _TIME,
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="when next_at was computed",
        ),
        sa.Column("paused_at", _TIME),
        sa.Column("by", sa.Text(), nullable=False, comment="who added it"),
        sa.Column("created_at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="schedules_pkey"),
        sa.UniqueConstraint("name", name="schedules_name_key"),
        sa.CheckConstraint("kind IN ('cron', 'freshness', 'release')", name="schedules_kind_check"),
        sa.CheckConstraint(
            "(kind = 'cron') = (cron IS NOT NULL) AND (kind = 'cron') = (every IS NULL)",
            name="schedules_fields_check",
        ),
        sa.CheckConstraint("every > 0", name="schedules_every_check"),
        sa.CheckConstraint("mode IN ('smart', 'full')", name="schedules_mode_check"),
        sa.CheckConstraint("overlap IN ('skip', 'queue')", name="schedules_overlap_check"),
    )
    op.create_table(
        "schedule_ticks",
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("tick", _TIME, nullable=False, comment="when it was due"),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), comment="run that it created, or that was in its way"),
        sa.Column("reason", sa.Text(), comment="why it was skipped, missed or refused"),
        sa.Column(
            "at",
            _TIME,
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="when the outcome was decided",
        ),
        sa.PrimaryKeyConstraint("schedule_id", "tick", name="schedule_ticks_pkey"),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedules.id"],
            name="schedule_ticks_schedule_id_fkey",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "outcome IN ('ran', 'skipped', 'missed', 'refused', 'queued')",
            name="schedule_ticks_outcome_check",
        ),
    )
    # every worker reads this view once a second
    op.execute(
        """
        CREATE VIEW due_schedules AS
        SELECT id, clock_was_set_back, queued_is_free FROM (
          SELECT s.id, s.next_at <= clock_timestamp() AS is_due,
            s.decided_at > clock_timestamp() + interval '1 minute' AS clock_was_set_back,
            s.queued_tick IS NOT NULL AND NOT EXISTS (
              SELECT FROM runs r
              WHERE r.id = s.queued_behind AND r.state IN ('queued', 'running')) AS queued_is_free
          FROM schedules s WHERE s.paused_at IS NULL
        ) looked WHERE is_due OR clock_was_set_back OR queued_is_free
        """
    )


def downgrade() -> None:
    op.execute("DROP VIEW due_schedules")
    op.drop_table("schedule_ticks")
    op.drop_table("schedules")
