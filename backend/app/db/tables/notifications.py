"""What people are told, how far it was delivered, and the incidents that it tells of."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.tables.columns import at, metadata

incidents = Table(
    "incidents",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "kind", Text, nullable=False, comment="kind of the notification that opened the incident"
    ),
    Column(
        "subject",
        Text,
        nullable=False,
        comment="what is affected: a source, or the request of a run; empty: everything",
    ),
    Column("title", Text, nullable=False, comment="one line of plain text"),
    Column("run_id", BigInteger, comment="run that opened the incident"),
    Column(
        "sources",
        ARRAY(Text),
        comment="sources whose success closes it; null if it closes when its condition ends",
    ),
    Column("times", Integer, nullable=False, server_default="1", comment="number of occurrences"),
    at("opened_at", default_now=True),
    at("last_at", default_now=True, comment="when it occurred last"),
    at("closed_at"),
    Index(
        "incidents_one_open_per_subject",
        "kind",
        "subject",
        unique=True,
        postgresql_where=text("closed_at IS NULL"),
    ),
)

incident_looks = Table(
    "incident_looks",
    metadata,
    Column("what", Text, primary_key=True, comment="kind of condition that is checked regularly"),
    Column(
        "looked_at", DateTime(timezone=True), nullable=False, comment="when it was last checked"
    ),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "message_id",
        Uuid,
        nullable=False,
        unique=True,
        server_default=text("gen_random_uuid()"),
        comment="id of the message, the same in each attempt to deliver it",
    ),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, comment="when the event happened"),
    Column("title", Text, nullable=False, comment="one line of plain text"),
    Column("text", Text, nullable=False, comment="a few lines of plain text"),
    Column(
        "detail",
        JSONB,
        nullable=False,
        server_default="{}",
        comment="the same as data for programs",
    ),
    Column("incident_id", BigInteger, ForeignKey("incidents.id", ondelete="SET NULL"), index=True),
    at("created_at", default_now=True),
    Column(
        "planned_at",
        DateTime(timezone=True),
        comment="when the deliveries were created; null if not yet",
    ),
    CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
    Index("notifications_unplanned_idx", "id", postgresql_where=text("planned_at IS NULL")),
)

notification_deliveries = Table(
    "notification_deliveries",
    metadata,
    Column(
        "notification_id",
        BigInteger,
        ForeignKey("notifications.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("channel", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column(
        "due_at",
        DateTime(timezone=True),
        nullable=False,
        comment="when the next attempt is due; during an attempt, when it counts as interrupted",
    ),
    Column("attempts", Integer, nullable=False, server_default="0", comment="number of attempts"),
    Column("error", Text, comment="why the last attempt failed"),
    at("delivered_at"),
    Column(
        "digest_id",
        BigInteger,
        ForeignKey("notifications.id", ondelete="SET NULL"),
        index=True,
        comment="digest that contains the notification, if any",
    ),
    CheckConstraint(
        "state IN ('pending', 'delivered', 'refused', 'given up', 'waiting', 'in digest')",
        name="state",
    ),
    Index(
        "notification_deliveries_due_idx",
        "due_at",
        postgresql_where=text("state IN ('pending', 'waiting')"),
    ),
)
