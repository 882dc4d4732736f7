"""the last success of a source, without a look at all runs"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_index(
        "run_sources_succeeded_idx",
        "run_sources",
        ["source", "finished_at"],
        postgresql_where=sa.text("state = 'succeeded'"),
    )


def downgrade() -> None:
    op.drop_index(
        "run_sources_succeeded_idx",
        table_name="run_sources",
        postgresql_where=sa.text("state = 'succeeded'"),
    )
