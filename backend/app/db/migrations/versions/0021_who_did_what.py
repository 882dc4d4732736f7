"""who did what to runs and schedules"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_COLUMNS = (
    ("run_events", sa.Column("actor", sa.Text(), comment="who did it; null: a worker did")),
    ("schedules", sa.Column("paused_by", sa.Text(), comment="who paused it last")),
    ("schedules", sa.Column("resumed_at", sa.DateTime(timezone=True))),
    ("schedules", sa.Column("resumed_by", sa.Text(), comment="who resumed it last")),
    (
        "schedule_ticks",
        sa.Column("actor", sa.Text(), comment="who did it at once; null: it was due"),
    ),
)


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, column)
    op.create_index(
        "run_events_actor_idx",
        "run_events",
        ["actor", "run_id"],
        postgresql_where=sa.text("actor IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "run_events_actor_idx",
        table_name="run_events",
        postgresql_where=sa.text("actor IS NOT NULL"),
    )
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column.name)
