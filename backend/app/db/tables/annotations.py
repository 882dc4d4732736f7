"""The annotations, and where they came from."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.tables.columns import at, metadata

annotations = Table(
    "annotations",
    metadata,
    Column("gene_id", BigInteger, ForeignKey("genes.id", ondelete="CASCADE"), primary_key=True),
    Column("source", Text, primary_key=True, comment="name of the source"),
    Column(
        "state",
        Text,
        nullable=False,
        comment="last good answer: found or absent; unknown if there is none",
    ),
    Column("data", JSONB, comment="what was found; see the page of the source"),
    Column("release", Text, comment="latest release of the source that gave the last good answer"),
    at("fetched_at", comment="when the last good answer was fetched"),
    Column("checked_state", Text, nullable=False, comment="the answer of the last check"),
    at("checked_at", default_now=True, comment="when the source was last asked"),
    Column("checked_run_id", BigInteger, comment="run of the last check"),
    Column("reason", Text, comment="why the last check is unknown"),
    Column(
        "origin_id",
        BigInteger,
        ForeignKey("origins.id"),
        comment="origin of the last good answer",
    ),
    Column(
        "checked_origin_id",
        BigInteger,
        ForeignKey("origins.id"),
        comment="origin of the last check",
    ),
    Column("fetched_run_id", BigInteger, comment="run that fetched the last good answer"),
    Column(
        "valid_from",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when state and data last changed",
    ),
    Column(
        "changed_run_id",
        BigInteger,
        comment="run that stored this answer; null if a rollback or a version before 0.2 did",
    ),
    Column(
        "origin_ids",
        ARRAY(BigInteger),
        nullable=False,
        server_default="{}",
        comment="all origins that gave this answer, in order",
    ),
    Column(
        "origin_since",
        ARRAY(DateTime(timezone=True)),
        nullable=False,
        server_default="{}",
        comment="since when each of origin_ids was the latest one",
    ),
    CheckConstraint("state IN ('found', 'absent', 'unknown')", name="state"),
    CheckConstraint("checked_state IN ('found', 'absent', 'unknown')", name="checked_state"),
    Index("annotations_checked_run_idx", "checked_run_id", "source"),
    # without what annotations_checked_run_idx has: a commit would write it into all three
    Index(
        "annotations_fetched_run_idx",
        "fetched_run_id",
        postgresql_where=text("fetched_run_id IS DISTINCT FROM checked_run_id"),
    ),
    Index(
        "annotations_changed_run_idx",
        "changed_run_id",
        postgresql_where=text("changed_run_id IS DISTINCT FROM checked_run_id"),
    ),
    Index(None, "source", "state"),
    Index(None, "valid_from"),
)

origins = Table(
    "origins",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column(
        "release", Text, comment="release as people read it, a version or a day; null if not stated"
    ),
    Column(
        "marker", Text, comment="value that differs between releases, such as the ETag of the file"
    ),
    Column(
        "files",
        JSONB,
        nullable=False,
        comment="address, without secrets, and SHA-256 of each file; null: a service was asked",
    ),
    Column("parser", Text, nullable=False, comment="version of the parser of the source"),
    at("first_seen_at", default_now=True, comment="when an answer first had this origin"),
    UniqueConstraint(
        "source",
        "release",
        "marker",
        "files",
        "parser",
        postgresql_nulls_not_distinct=True,
    ),
)

source_releases = Table(
    "source_releases",
    metadata,
    Column("source", Text, primary_key=True),
    Column(
        "of", Text, primary_key=True, comment="file or service: which of them states the release"
    ),
    Column(
        "release", Text, nullable=False, comment="release as people read it, a version or a day"
    ),
    Column(
        "marker",
        Text,
        nullable=False,
        comment="value that differs between releases, such as the ETag of the file",
    ),
    Column("address", Text, nullable=False, comment="address that states the release"),
    Column(
        "since",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when the release was first seen",
    ),
    Column(
        "seen_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when the release was last seen",
    ),
)

accepted_files = Table(
    "accepted_files",
    metadata,
    Column("source", Text, primary_key=True),
    Column("name", Text, primary_key=True, comment="name of the bulk file"),
    Column("digest", Text, nullable=False, comment="SHA-256 of the file as it was fetched"),
    Column("rows", BigInteger, nullable=False, comment="number of rows without the header"),
    Column("genes", BigInteger, nullable=False, comment="number of distinct genes in all rows"),
    Column("release", Text, nullable=False, comment="release of the file"),
    Column("address", Text, comment="address from which the file was downloaded"),
    Column("marker", Text, comment="ETag of the file, or its Last-Modified"),
    Column("bytes", BigInteger, comment="size of the file as it was downloaded"),
    at("accepted_at", default_now=True),
    Column("accepted_run_id", BigInteger),
)
