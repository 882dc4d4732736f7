"""names are found by their beginning, whatever the collation of the database is"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_index(
        "genes_symbol_beginning_idx", "genes", [sa.text("lower(symbol) text_pattern_ops")]
    )
    # an index with this class finds whole names, too
    op.drop_index("gene_names_name_idx", table_name="gene_names")
    op.create_index("gene_names_name_idx", "gene_names", [sa.text("upper(name) text_pattern_ops")])


def downgrade() -> None:
    op.drop_index("gene_names_name_idx", table_name="gene_names")
    op.create_index("gene_names_name_idx", "gene_names", [sa.text("upper(name)")])
    op.drop_index("genes_symbol_beginning_idx", table_name="genes")
