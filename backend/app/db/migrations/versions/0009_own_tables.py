"""the group's own tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "own_tables",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="name of the source"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False, comment="as people read it"),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the file"),
        sa.Column("bytes", sa.BigInteger(), nullable=False, comment="size of the file"),
        sa.Column(
            "rows", sa.BigInteger(), nullable=False, comment="number of rows without the header"
        ),
        sa.Column(
            "genes",
            sa.BigInteger(),
            nullable=False,
            comment="number of different genes in all rows",
        ),
        sa.Column(
            "columns",
            postgresql.JSONB(),
            nullable=False,
            comment="names of the columns in their order, with what they hold: number or text",
        ),
        sa.Column(
            "keys",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="columns of genes by which rows name their genes",
        ),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column(
            "replaced_at",
            sa.DateTime(timezone=True),
            comment="when a newer file was added, or the source was removed; null: current",
        ),
        sa.PrimaryKeyConstraint("id", name="own_tables_pkey"),
    )
    op.create_index(
        "own_tables_one_current_file",
        "own_tables",
        ["name"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "own_rows",
        sa.Column("table_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False, comment="line, or row of a sheet"),
        sa.Column(
            "key", sa.Text(), comment="column of genes that the row names its gene by; null: none"
        ),
        sa.Column("value", sa.Text(), comment="the identifier, or the symbol in capital letters"),
        sa.Column("data", postgresql.JSONB(), nullable=False, comment="the cells by column"),
        sa.PrimaryKeyConstraint("table_id", "line", name="own_rows_pkey"),
        sa.ForeignKeyConstraint(
            ["table_id"], ["own_tables.id"], name="own_rows_table_id_fkey", ondelete="CASCADE"
        ),
    )
    op.create_index("own_rows_gene_idx", "own_rows", ["table_id", "key", "value"])


def downgrade() -> None:
    op.drop_table("own_rows")
    op.drop_table("own_tables")
