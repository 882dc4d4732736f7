"""record the queue, the slots and the loop lag of a worker"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # workers of the previous version keep running meanwhile, and do not set these columns
    op.add_column(
        "workers",
        sa.Column(
            "loop_lag",
            sa.Double(),
            server_default="0",
            nullable=False,
            comment="the longest of the last minute, in seconds",
        ),
    )
    op.add_column("workers", sa.Column("queue", sa.Text(), comment="that it listens to"))
    op.add_column("workers", sa.Column("slots", sa.Integer(), comment="runs at a time"))


def downgrade() -> None:
    op.drop_column("workers", "slots")
    op.drop_column("workers", "queue")
    op.drop_column("workers", "loop_lag")
