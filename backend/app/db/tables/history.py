"""Former answers, and the moments to which people return: snapshots and rollbacks."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.tables.columns import at, metadata

rollbacks = Table(
    "rollbacks",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column(
        "to", DateTime(timezone=True), nullable=False, comment="time whose answers were restored"
    ),
    Column("snapshot", Text, comment="name of the snapshot of that time, if it was named"),
    Column("genes", Integer, nullable=False, comment="number of genes whose answer changed"),
    Column("by", Text, nullable=False, comment="who rolled the source back"),
    Column("note", Text),
    at("at", default_now=True),
)

annotation_history = Table(
    "annotation_history",
    metadata,
    Column("gene_id", BigInteger, ForeignKey("genes.id", ondelete="CASCADE"), nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("data", JSONB),
    Column("release", Text, comment="last release of the source that gave this answer"),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column(
        "valid_to",
        DateTime(timezone=True),
        nullable=False,
        comment="when another answer replaced it: the first moment at which it was not valid",
    ),
    Column("run_id", BigInteger, comment="run that replaced it; null: a rollback did"),
    Column("rollback_id", BigInteger, ForeignKey("rollbacks.id"), comment="rollback that did"),
    Column(
        "changed_run_id",
        BigInteger,
        comment="run that brought it; null: a rollback, or a version before 0.2",
    ),
    at("fetched_at"),
    Column("fetched_run_id", BigInteger, comment="run that fetched it last"),
    Column(
        "origin_ids",
        ARRAY(BigInteger),
        nullable=False,
        comment="origins that gave this answer, one after the other",
    ),
    Column(
        "origin_since",
        ARRAY(DateTime(timezone=True)),
        nullable=False,
        comment="since when each of the origins was the latest one",
    ),
    PrimaryKeyConstraint("gene_id", "source", "valid_from"),
    CheckConstraint("state IN ('found', 'absent', 'unknown')", name="state"),
    CheckConstraint("valid_from < valid_to", name="validity"),
    Index("annotation_history_valid_to_idx", "valid_to"),
    Index("annotation_history_run_idx", "run_id", "source"),
    Index("annotation_history_fetched_run_idx", "fetched_run_id"),
    Index("annotation_history_changed_run_idx", "changed_run_id"),
)

history_horizon = Table(
    "history_horizon",
    metadata,
    Column("source", Text, primary_key=True),
    Column(
        "complete_since",
        DateTime(timezone=True),
        nullable=False,
        comment="answers that ended before were removed, except those valid at a snapshot",
    ),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        index=True,
        comment="the moment whose answers it means",
    ),
    Column("note", Text),
    Column("by", Text, nullable=False, comment="who took it"),
    Column(
        "manifest",
        JSONB,
        nullable=False,
        comment="version of the product, number of genes, and for each source its releases,"
        " addresses, digests, licence, attribution and counts",
    ),
)
