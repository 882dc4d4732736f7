"""the ids of merged genes, by which older files name their successors"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "merged_ids",
        sa.Column("hgnc_id", sa.Text(), nullable=False, comment="of a gene that HGNC merged"),
        sa.Column(
            "successor", sa.Text(), nullable=False, comment="HGNC id of the gene it became part of"
        ),
        sa.PrimaryKeyConstraint("hgnc_id", name="merged_ids_pkey"),
    )
    op.create_index("merged_ids_successor_idx", "merged_ids", ["successor"])
