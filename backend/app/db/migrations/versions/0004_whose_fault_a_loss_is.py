"""record the losses that count against a run, and the clock of a worker"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # workers of the previous version keep running meanwhile, and do not set these columns
    op.add_column(
        "runs",
        sa.Column(
            "losses_alone",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="of losses_in_a_row, those that were its own fault",
        ),
    )
    op.add_column(
        "workers",
        sa.Column(
            "clock_ahead",
            sa.Double(),
            comment="seconds by which its host's clock is ahead of PostgreSQL's",
        ),
    )
