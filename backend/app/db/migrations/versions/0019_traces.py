"""traces"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column(
        "runs",
        sa.Column(
            "traceparent",
            sa.Text(),
            comment="span of the HTTP request that created it, if it was traced",
        ),
    )
    op.add_column(
        "runs",
        sa.Column(
            "traced_epoch",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="last epoch of which the spans were sent",
        ),
    )
    op.create_index("runs_finished_idx", "runs", ["finished_at"])


def downgrade() -> None:
    op.drop_index("runs_finished_idx", table_name="runs")
    op.drop_column("runs", "traced_epoch")
    op.drop_column("runs", "traceparent")
