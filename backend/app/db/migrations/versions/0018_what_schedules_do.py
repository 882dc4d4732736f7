"""schedules that take a snapshot, a backup or an export"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"

_TIME = sa.DateTime(timezone=True)

_OUTCOMES = "'ran', 'skipped', 'missed', 'refused', 'queued'"

# as Alembic completed the name that 0013 gives
_FORMER_CHECK = "schedule_ticks_schedule_ticks_outcome_check_check"

_FORMER_COMMENT = "why it was skipped, missed or refused"


def upgrade() -> None:
    op.add_column(
        "schedules",
        sa.Column(
            "action",
            sa.Text(),
            server_default="refresh",
            nullable=False,
            comment="refresh (a run), snapshot, backup or export",
        ),
    )
    op.add_column(
        "schedules",
        sa.Column(
            "options",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="of the action, such as the folder of a backup",
        ),
    )
    op.create_check_constraint(
        op.f("schedules_action_check"),
        "schedules",
        "action IN ('refresh', 'snapshot', 'backup', 'export')",
    )
    op.create_check_constraint(
        op.f("schedules_options_check"),
        "schedules",
        "action = 'refresh' OR (kind = 'cron' AND sources IS NULL)",
    )
    for column in (
        sa.Column(
            "epoch",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="increases whenever the work changes hands",
        ),
        sa.Column(
            "failures",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="how often the work failed or lost its worker",
        ),
        sa.Column(
            "worker_id", sa.BigInteger(), comment="worker that does the work, or did it last"
        ),
        sa.Column("not_before", _TIME, comment="when the work is tried again"),
        sa.Column("result", postgresql.JSONB(), comment="what was made, and on which host"),
    ):
        op.add_column("schedule_ticks", column)
    op.alter_column(
        "schedule_ticks",
        "reason",
        comment="why it has this outcome, or what was made",
        existing_comment=_FORMER_COMMENT,
    )
    op.drop_constraint(op.f(_FORMER_CHECK), "schedule_ticks", type_="check")
    op.create_check_constraint(
        op.f("schedule_ticks_outcome_check"),
        "schedule_ticks",
        f"outcome IN ({_OUTCOMES}, 'waiting', 'running', 'done', 'failed')",
    )
    # the work of two ticks of one schedule is never done at the same time
    op.create_index(
        "schedule_ticks_running_idx",
        "schedule_ticks",
        ["schedule_id"],
        unique=True,
        postgresql_where=sa.text("outcome = 'running'"),
    )
    op.create_index(
        "schedule_ticks_waiting_idx",
        "schedule_ticks",
        ["schedule_id"],
        postgresql_where=sa.text("outcome = 'waiting'"),
    )
    # every worker reads these three views once a second
    op.execute(
        """
        CREATE VIEW due_ticks AS
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
    op.execute(
        """
        CREATE VIEW ready_ticks AS
        SELECT t.schedule_id, t.tick FROM schedule_ticks t
        WHERE t.outcome = 'waiting' AND (t.not_before IS NULL
            OR t.not_before <= clock_timestamp()
            -- the clock was set back since
            OR t.not_before > clock_timestamp() + interval '1 h')
          AND NOT EXISTS (SELECT FROM schedule_ticks other
            WHERE other.schedule_id = t.schedule_id AND other.outcome = 'running')
        """
    )
    op.execute(
        """
        CREATE VIEW lost_ticks AS
        SELECT t.schedule_id, t.tick, t.worker_id FROM schedule_ticks t
        WHERE t.outcome = 'running' AND NOT EXISTS (
          SELECT FROM worker_liveness life WHERE life.id = t.worker_id AND life.alive)
        """
    )
    # workers of the former version read this view, and know nothing but runs
    op.execute(
        """
        CREATE OR REPLACE VIEW due_schedules AS
        SELECT due.id, due.clock_was_set_back, due.queued_is_free
        FROM due_ticks due JOIN schedules s ON s.id = due.id WHERE s.action = 'refresh'
        """
    )


def downgrade() -> None:
    op.execute("DELETE FROM schedules WHERE action <> 'refresh'")
    op.execute(
        """
        CREATE OR REPLACE VIEW due_schedules AS
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
    for view in ("lost_ticks", "ready_ticks", "due_ticks"):
        op.execute(f"DROP VIEW {view}")
    op.drop_index("schedule_ticks_waiting_idx", "schedule_ticks")
    op.drop_index("schedule_ticks_running_idx", "schedule_ticks")
    op.drop_constraint(op.f("schedule_ticks_outcome_check"), "schedule_ticks", type_="check")
    op.create_check_constraint(op.f(_FORMER_CHECK), "schedule_ticks", f"outcome IN ({_OUTCOMES})")
    op.alter_column("schedule_ticks", "reason", comment=_FORMER_COMMENT)
    for column in ("result", "not_before", "worker_id", "failures", "epoch"):
        op.drop_column("schedule_ticks", column)
    op.drop_constraint(op.f("schedules_options_check"), "schedules", type_="check")
    op.drop_constraint(op.f("schedules_action_check"), "schedules", type_="check")
    op.drop_column("schedules", "options")
    op.drop_column("schedules", "action")
