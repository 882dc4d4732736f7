"""where an annotation came from, what the sources publish now, and runs of some genes"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

NAMES = """
UPDATE accepted_files SET name = CASE source
  WHEN 'clinvar' THEN 'tab_delimited/' || name
  WHEN 'hgnc' THEN 'tsv/tsv/' || name ELSE name END
WHERE name NOT LIKE '%/%'
"""


def upgrade() -> None:
    op.create_table(
        "origins",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "release", sa.Text(), comment="as people read it: a version or a day; null: not stated"
        ),
        sa.Column(
            "marker",
            sa.Text(),
            comment="what differs between two releases, such as the ETag of a file",
        ),
        sa.Column(
            "files",
            postgresql.JSONB(),
            nullable=False,
            comment="address, without secrets, and SHA-256 of each file; null: a service was asked",
        ),
        sa.Column(
            "parser", sa.Text(), nullable=False, comment="version of what the source makes of it"
        ),
        sa.Column(
            "first_seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="origins_pkey"),
        sa.UniqueConstraint(
            "source",
            "release",
            "marker",
            "files",
            "parser",
            name="origins_source_key",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "source_releases",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("of", sa.Text(), nullable=False, comment="file or service"),
        sa.Column("release", sa.Text(), nullable=False, comment="as people read it"),
        sa.Column(
            "marker",
            sa.Text(),
            nullable=False,
            comment="what differs between two releases, such as the ETag of a file",
        ),
        sa.Column("address", sa.Text(), nullable=False, comment="that stated the release"),
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="when the release was first seen",
        ),
        sa.Column(
            "seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="when the release was last seen",
        ),
        sa.PrimaryKeyConstraint("source", "of", name="source_releases_pkey"),
    )
    op.add_column(
        "annotations",
        sa.Column("origin_id", sa.BigInteger(), comment="where the last good answer came from"),
    )
    op.add_column(
        "annotations",
        sa.Column("checked_origin_id", sa.BigInteger(), comment="where the last check looked"),
    )
    op.add_column(
        "annotations",
        sa.Column(
            "fetched_run_id", sa.BigInteger(), comment="run that fetched the last good answer"
        ),
    )
    for column in ("origin_id", "checked_origin_id"):
        op.create_foreign_key(
            f"annotations_{column}_fkey", "annotations", "origins", [column], ["id"]
        )
    op.create_index("annotations_source_state_idx", "annotations", ["source", "state"])
    op.add_column(
        "runs",
        sa.Column(
            "genes",
            sa.ARRAY(sa.Text()),
            comment="HGNC ids of the requested genes, sorted and unique; null means all",
        ),
    )
    op.add_column(
        "run_sources",
        sa.Column(
            "confirmed",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="stale answers that were kept, because the release is the same",
        ),
    )
    files = (
        sa.Column("address", sa.Text(), comment="where the file was downloaded"),
        sa.Column("marker", sa.Text(), comment="ETag of the file, or its Last-Modified"),
        sa.Column("bytes", sa.BigInteger(), comment="size of the file as it was downloaded"),
    )
    for each in files:
        op.add_column("accepted_files", each)
    op.execute(NAMES)
