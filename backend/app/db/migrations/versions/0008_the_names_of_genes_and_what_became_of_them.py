"""the names of all approved genes, and what became of the genes of the database"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column(
        "genes",
        sa.Column(
            "successor_id",
            sa.BigInteger(),
            comment="gene that HGNC merged this one into",
        ),
    )
    op.create_foreign_key(
        "genes_successor_id_fkey", "genes", "genes", ["successor_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index("genes_successor_id_idx", "genes", ["successor_id"])
    op.add_column(
        "genes",
        sa.Column(
            "withdrawn_at",
            sa.DateTime(timezone=True),
            comment="when HGNC was first seen to have withdrawn the gene; no source is asked about"
            " it any more",
        ),
    )
    op.create_table(
        "gene_names",
        sa.Column(
            "hgnc_id",
            sa.Text(),
            nullable=False,
            comment="of an approved gene, which may not be in the table genes",
        ),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="symbol (the approved one), previous or alias",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hgnc_id", "kind", "name", name="gene_names_pkey"),
        sa.CheckConstraint("kind IN ('symbol', 'previous', 'alias')", name="gene_names_kind_check"),
    )
    op.create_index("gene_names_name_idx", "gene_names", [sa.text("upper(name)")])
    op.create_table(
        "gene_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("gene_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="when it was noticed",
        ),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="from and to, or the HGNC ids of the genes that it was merged or split into",
        ),
        sa.Column(
            "run_id", sa.BigInteger(), comment="run that noticed it; null: an import of genes"
        ),
        sa.PrimaryKeyConstraint("id", name="gene_events_pkey"),
        sa.ForeignKeyConstraint(
            ["gene_id"], ["genes.id"], name="gene_events_gene_id_fkey", ondelete="CASCADE"
        ),
    )
    op.create_index("gene_events_gene_id_idx", "gene_events", ["gene_id"])


def downgrade() -> None:
    op.drop_table("gene_events")
    op.drop_table("gene_names")
    op.drop_column("genes", "withdrawn_at")
    op.drop_column("genes", "successor_id")
