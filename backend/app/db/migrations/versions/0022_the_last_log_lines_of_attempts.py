"""the last log lines of attempts"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "attempt_logs",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            comment="counts the lines of the attempt, also those that are not kept",
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="by the clock of the worker's host",
        ),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="without secrets"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("attempt_logs_run_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "epoch", "number", name=op.f("attempt_logs_pkey")),
    )


def downgrade() -> None:
    op.drop_table("attempt_logs")
