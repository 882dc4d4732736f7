"""snapshots that stay as they are, and genes that cannot be dated before one"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_CLOCKS = {"genes": "created_at", "gene_events": "at"}


def upgrade() -> None:
    # now() is when a transaction began, which may be before a snapshot that it commits after
    for table, column in _CLOCKS.items():
        op.alter_column(table, column, server_default=sa.func.clock_timestamp())
    op.execute(
        """
        CREATE FUNCTION refuse_change_of_snapshot() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RAISE EXCEPTION 'a snapshot cannot be changed' USING
            HINT = 'Take another one, or delete this one: just snapshot NAME --delete --force';
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER snapshots_stay BEFORE UPDATE ON snapshots
        FOR EACH ROW EXECUTE FUNCTION refuse_change_of_snapshot()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER snapshots_stay ON snapshots")
    op.execute("DROP FUNCTION refuse_change_of_snapshot()")
    for table, column in _CLOCKS.items():
        op.alter_column(table, column, server_default=sa.func.now())
