"""what is held, and who accepted it"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

STATE = "run_sources_state_check"
STATES = "'queued', 'running', 'succeeded', 'failed', 'cancelled'"


def upgrade() -> None:
    # a source that failed under the former version because its answers looked wrong stays failed;
    # a retry holds its answers if they still do
    op.drop_constraint(op.f(STATE), "run_sources", type_="check")
    op.create_check_constraint(op.f(STATE), "run_sources", f"state IN ({STATES}, 'held')")
    op.add_column(
        "run_sources",
        sa.Column(
            "held",
            postgresql.JSONB(),
            comment="why the answers are held: reason, examples, genes, files",
        ),
    )
    op.add_column(
        "run_sources",
        sa.Column(
            "accepted",
            postgresql.JSONB(),
            comment="what was held and then accepted, with by, note, time",
        ),
    )
    op.alter_column("run_sources", "accept_losses", comment="written only by versions before 0.2")
    op.alter_column("annotations", "doubted", comment="written only by versions before 0.2")
    op.alter_column("run_sources", "error", comment="why the source failed, or is held")
