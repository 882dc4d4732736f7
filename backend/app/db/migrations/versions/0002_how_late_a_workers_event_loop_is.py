"""how late a worker's event loop is"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # with a default, as workers of the former version go on while this runs
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


def downgrade() -> None:
    op.drop_column("workers", "loop_lag")
