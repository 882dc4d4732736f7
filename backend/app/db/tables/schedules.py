"""The schedules, and what became of each of their ticks."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.tables.columns import at, metadata

schedules = Table(
    "schedules",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False, comment="cron, freshness or release"),
    Column("cron", Text, comment="the five cron fields; null for other kinds"),
    Column(
        "zone", Text, nullable=False, server_default="UTC", comment="time zone of the cron fields"
    ),
    Column(
        "every",
        Double,
        comment="seconds: maximum age of the data (freshness), or between two checks (release)",
    ),
    Column("sources", ARRAY(Text), comment="sorted and unique; null means all"),
    Column("mode", Text, nullable=False, server_default="smart"),
    Column(
        "action",
        Text,
        nullable=False,
        server_default="refresh",
        comment="refresh (a run), snapshot, backup or export",
    ),
    Column(
        "options",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="options of the action, such as the folder of backups",
    ),
    Column(
        "overlap",
        Text,
        nullable=False,
        server_default="skip",
        comment="what happens to a tick while a run of these sources is active: skip or queue",
    ),
    Column(
        "catch_up",
        Double,
        nullable=False,
        server_default="86400",
        comment="a tick that was missed for at most this number of seconds is caught up",
    ),
    Column(
        "next_at",
        DateTime(timezone=True),
        nullable=False,
        comment="next tick, or next check of the age of the data",
    ),
    Column(
        "queued_tick", DateTime(timezone=True), comment="tick that waits for an active run to end"
    ),
    Column("queued_behind", BigInteger, comment="id of this active run"),
    Column(
        "decided_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
        comment="when next_at was computed",
    ),
    at("paused_at"),
    Column("paused_by", Text, comment="who paused the schedule last"),
    at("resumed_at"),
    Column("resumed_by", Text, comment="who resumed the schedule last"),
    Column("by", Text, nullable=False, comment="who added the schedule"),
    at("created_at", default_now=True),
    CheckConstraint("kind IN ('cron', 'freshness', 'release')", name="kind"),
    CheckConstraint(
        "(kind = 'cron') = (cron IS NOT NULL) AND (kind = 'cron') = (every IS NULL)", name="fields"
    ),
    CheckConstraint("every > 0", name="every"),
    CheckConstraint("mode IN ('smart', 'full')", name="mode"),
    CheckConstraint("overlap IN ('skip', 'queue')", name="overlap"),
    CheckConstraint("action IN ('refresh', 'snapshot', 'backup', 'export')", name="action"),
    CheckConstraint("action = 'refresh' OR (kind = 'cron' AND sources IS NULL)", name="options"),
)

schedule_ticks = Table(
    "schedule_ticks",
    metadata,
    Column(
        "schedule_id",
        BigInteger,
        ForeignKey("schedules.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("tick", DateTime(timezone=True), primary_key=True, comment="when the tick was due"),
    Column("outcome", Text, nullable=False, comment="see the page Schedules"),
    Column(
        "run_id", BigInteger, comment="run that was created, or active run that blocked the tick"
    ),
    Column("reason", Text, comment="reason of the outcome, or what was made"),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
        comment="when the outcome was decided",
    ),
    Column(
        "epoch",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="counter that increases whenever the work changes hands",
    ),
    Column(
        "failures",
        Integer,
        nullable=False,
        server_default="0",
        comment="number of times that the work failed or lost its worker",
    ),
    Column("worker_id", BigInteger, comment="worker that does the work, or did it last"),
    Column("not_before", DateTime(timezone=True), comment="when the work is tried again"),
    Column("result", JSONB, comment="what was made, and on which host"),
    Column("actor", Text, comment="who started the tick by hand; null if it was due"),
    CheckConstraint(
        "outcome IN ('ran', 'skipped', 'missed', 'refused', 'queued', 'waiting', 'running',"
        " 'done', 'failed')",
        name="outcome",
    ),
    # the work of two ticks of one schedule is never done at the same time
    Index(
        "schedule_ticks_running_idx",
        "schedule_id",
        unique=True,
        postgresql_where=text("outcome = 'running'"),
    ),
    Index(
        "schedule_ticks_waiting_idx",
        "schedule_id",
        postgresql_where=text("outcome = 'waiting'"),
    ),
    Index("schedule_ticks_run_idx", "run_id"),
)
