"""when states were last looked at"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "incident_looks",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("what", name="incident_looks_pkey"),
    )


def downgrade() -> None:
    op.drop_table("incident_looks")
