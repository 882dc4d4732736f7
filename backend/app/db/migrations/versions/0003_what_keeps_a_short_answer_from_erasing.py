"""hold implausible answers"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # workers of the previous version keep running meanwhile, and do not set these columns
    op.add_column(
        "annotations",
        sa.Column(
            "doubted",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="the last check said absent of what was found before, and is not believed yet",
        ),
    )
    op.add_column(
        "run_sources",
        sa.Column(
            "accept_losses",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="an operator said that what is gone is really gone",
        ),
    )
    op.add_column("run_sources", sa.Column("error", sa.Text(), comment="why the source failed"))
    op.create_table(
        "accepted_files",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="of the bulk file"),
        sa.Column(
            "digest", sa.Text(), nullable=False, comment="SHA-256 of the file as it was fetched"
        ),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="without the header"),
        sa.Column(
            "genes", sa.BigInteger(), nullable=False, comment="different genes in all of its rows"
        ),
        sa.Column("release", sa.Text(), nullable=False, comment="of the upstream"),
        sa.Column(
            "accepted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("accepted_run_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", "name", name="accepted_files_pkey"),
    )


def downgrade() -> None:
    op.drop_table("accepted_files")
    op.drop_column("run_sources", "error")
    op.drop_column("run_sources", "accept_losses")
    op.drop_column("annotations", "doubted")
