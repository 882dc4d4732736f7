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
    Column("snapshot", Text, comment="name of the snapshot, if the time was given by one"),
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
    Column(
        "valid_from",
        DateTime(timezone=True),
        nullable=False,
        comment="when the answer became valid",
    ),
    Column(
        "valid_to",
        DateTime(timezone=True),
        nullable=False,
        comment="when the answer was replaced",
    ),
    Column("run_id", BigInteger, comment="run that replaced the answer; null if a rollback did"),
    Column(
        "rollback_id",
        BigInteger,
        ForeignKey("rollbacks.id"),
        comment="rollback that replaced the answer, if any",
    ),
    Column(
        "changed_run_id",
        BigInteger,
        comment="run that stored the answer; null if a rollback or a version before 0.2 did",
    ),
    at("fetched_at", comment="when the answer was last fetched"),
    Column("fetched_run_id", BigInteger, comment="run that last fetched the answer"),
    Column(
        "origin_ids",
        ARRAY(BigInteger),
        nullable=False,
        comment="all origins that gave this answer, in order",
    ),
    Column(
        "origin_since",
        ARRAY(DateTime(timezone=True)),
        nullable=False,
        comment="since when each of origin_ids was the latest one",
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
        comment="answers replaced before this time were removed, except those valid at a snapshot",
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
        comment="time whose answers the snapshot contains",
    ),
    Column("note", Text),
    Column("by", Text, nullable=False, comment="who took the snapshot"),
    Column(
        "manifest",
        JSONB,
        nullable=False,
        comment="version of the product, number of genes, and for each source its releases,"
        " addresses, digests, licence, attribution and counts",
    ),
)
