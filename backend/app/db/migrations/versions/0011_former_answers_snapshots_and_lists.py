"""former answers, snapshots, rollbacks, and lists of genes"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "run_sources",
        sa.Column(
            "changed",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="number of genes whose answer changed; a first answer is no change",
        ),
    )
    _annotations()
    _history()
    _lists()


def _annotations() -> None:
    valid_from = sa.Column(
        "valid_from",
        _TIME,
        server_default=sa.func.now(),
        nullable=False,
        comment="since when state and data are as they are",
    )
    for column in (
        valid_from,
        sa.Column(
            "changed_run_id",
            sa.BigInteger(),
            comment="run that brought this answer; null: a rollback, or a version before 0.2",
        ),
        sa.Column(
            "origin_ids",
            postgresql.ARRAY(sa.BigInteger()),
            server_default="{}",
            nullable=False,
            comment="origins that gave this answer, one after the other",
        ),
        sa.Column(
            "origin_since",
            postgresql.ARRAY(_TIME),
            server_default="{}",
            nullable=False,
            comment="since when each of the origins was the latest one",
        ),
    ):
        op.add_column("annotations", column)
    # when an answer last changed was not noted: it is valid since it was fetched last
    op.execute(
        """
        UPDATE annotations SET valid_from = coalesce(fetched_at, checked_at),
          origin_ids = CASE WHEN origin_id IS NULL THEN '{}' ELSE ARRAY[origin_id] END,
          origin_since = CASE WHEN origin_id IS NULL THEN '{}'
                         ELSE ARRAY[coalesce(fetched_at, checked_at)] END
        """
    )
    op.create_index("annotations_valid_from_idx", "annotations", ["valid_from"])


def _history() -> None:
    op.create_table(
        "rollbacks",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("to", _TIME, nullable=False, comment="time whose answers were restored"),
        sa.Column(
            "snapshot", sa.Text(), comment="name of the snapshot of that time, if it was named"
        ),
        sa.Column(
            "genes", sa.Integer(), nullable=False, comment="number of genes whose answer changed"
        ),
        sa.Column("by", sa.Text(), nullable=False, comment="who rolled the source back"),
        sa.Column("note", sa.Text()),
        sa.Column("at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="rollbacks_pkey"),
    )
    op.create_table(
        "annotation_history",
        sa.Column("gene_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB()),
        sa.Column("release", sa.Text(), comment="last release of the source that gave this answer"),
        sa.Column("valid_from", _TIME, nullable=False),
        sa.Column(
            "valid_to",
            _TIME,
            nullable=False,
            comment="when another answer replaced it: the first moment at which it was not valid",
        ),
        sa.Column("run_id", sa.BigInteger(), comment="run that replaced it; null: a rollback did"),
        sa.Column("rollback_id", sa.BigInteger(), comment="rollback that did"),
        sa.Column(
            "changed_run_id",
            sa.BigInteger(),
            comment="run that brought it; null: a rollback, or a version before 0.2",
        ),
        sa.Column("fetched_at", _TIME),
        sa.Column("fetched_run_id", sa.BigInteger(), comment="run that fetched it last"),
        sa.Column(
            "origin_ids",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="origins that gave this answer, one after the other",
        ),
        sa.Column(
            "origin_since",
            postgresql.ARRAY(_TIME),
            nullable=False,
            comment="since when each of the origins was the latest one",
        ),
        sa.PrimaryKeyConstraint("gene_id", "source", "valid_from", name="annotation_history_pkey"),
        sa.ForeignKeyConstraint(
            ["gene_id"], ["genes.id"], name="annotation_history_gene_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["rollback_id"], ["rollbacks.id"], name="annotation_history_rollback_id_fkey"
        ),
        sa.CheckConstraint(
            "state IN ('found', 'absent', 'unknown')", name="annotation_history_state_check"
        ),
        sa.CheckConstraint("valid_from < valid_to", name="annotation_history_validity_check"),
    )
    op.create_index("annotation_history_valid_to_idx", "annotation_history", ["valid_to"])
    op.create_index("annotation_history_run_idx", "annotation_history", ["run_id", "source"])
    op.create_table(
        "history_horizon",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "complete_since",
            _TIME,
            nullable=False,
            comment="answers that ended before were removed, except those valid at a snapshot",
        ),
        sa.PrimaryKeyConstraint("source", name="history_horizon_pkey"),
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False, comment="the moment whose answers it means"),
        sa.Column("note", sa.Text()),
        sa.Column("by", sa.Text(), nullable=False, comment="who took it"),
        sa.Column(
            "manifest",
            postgresql.JSONB(),
            nullable=False,
            comment="version of the product, number of genes, and for each source its releases,"
            " addresses, digests, licence, attribution and counts",
        ),
        sa.PrimaryKeyConstraint("id", name="snapshots_pkey"),
        sa.UniqueConstraint("name", name="snapshots_name_key"),
    )
    op.create_index("snapshots_at_idx", "snapshots", ["at"])


def _lists() -> None:
    op.create_table(
        "gene_lists",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("file_name", sa.Text(), comment="file that the list was read from"),
        sa.Column("by", sa.Text(), nullable=False, comment="who added it, or changed it last"),
        sa.Column("created_at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="gene_lists_pkey"),
        sa.UniqueConstraint("name", name="gene_lists_name_key"),
    )
    op.create_table(
        "gene_list_genes",
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "hgnc_id",
            sa.Text(),
            nullable=False,
            comment="of a gene, which may not be in the table genes",
        ),
        sa.PrimaryKeyConstraint("list_id", "hgnc_id", name="gene_list_genes_pkey"),
        sa.ForeignKeyConstraint(
            ["list_id"], ["gene_lists.id"], name="gene_list_genes_list_id_fkey", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    for table in (
        "gene_list_genes", "gene_lists", "snapshots", "history_horizon", "annotation_history",
        "rollbacks",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_index("annotations_valid_from_idx", table_name="annotations")
    for column in ("valid_from", "changed_run_id", "origin_ids", "origin_since"):
        op.drop_column("annotations", column)
    op.drop_column("run_sources", "changed")
