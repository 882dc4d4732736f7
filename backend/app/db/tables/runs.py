"""The runs, their progress, their events, and the workers that execute them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.tables.columns import at, metadata

runs = Table(
    "runs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("task", Text, nullable=False, comment="name of the job"),
    Column("sources", ARRAY(Text), comment="requested sources, sorted and unique; null means all"),
    Column(
        "genes",
        ARRAY(Text),
        comment="HGNC ids of the requested genes, sorted and unique; null means all",
    ),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="queued"),
    Column(
        "epoch",
        Integer,
        nullable=False,
        server_default="1",
        comment="increases whenever the run changes hands; identifies the attempt",
    ),
    Column(
        "worker_id",
        Integer,
        ForeignKey("workers.id"),
        comment="worker that executes the run, or executed it last",
    ),
    Column(
        "attempts", Integer, nullable=False, server_default="1", comment="1 + number of failures"
    ),
    Column(
        "interruptions",
        Integer,
        nullable=False,
        server_default="0",
        comment="number of clean stops of a worker",
    ),
    Column(
        "losses", Integer, nullable=False, server_default="0", comment="number of workers that died"
    ),
    Column("failures_in_a_row", Integer, nullable=False, server_default="0"),
    Column("losses_in_a_row", Integer, nullable=False, server_default="0"),
    Column(
        "losses_alone",
        Integer,
        nullable=False,
        server_default="0",
        comment="of losses_in_a_row, those that count against the run",
    ),
    at("not_before"),
    Column("waiting_for", Text),
    Column("error", Text),
    Column(
        "arq_job_id", Text, unique=True, comment="id of the job, if a client of arq enqueued it"
    ),
    at("created_at", default_now=True),
    at("started_at"),
    at("attempt_started_at"),
    at("progressed_at"),
    Column(
        "wake_up_sent_at",
        DateTime(timezone=True),
        comment="when recovery last sent a wake-up; null: at the next recovery pass",
    ),
    at("finished_at"),
    Column(
        "traceparent", Text, comment="span of the HTTP request that created it, if it was traced"
    ),
    Column(
        "traced_epoch",
        Integer,
        nullable=False,
        server_default="0",
        comment="last epoch of which the spans were sent",
    ),
    CheckConstraint(
        "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="state"
    ),
    CheckConstraint("mode IN ('smart', 'full')", name="mode"),
    Index("runs_active_idx", "state", postgresql_where=text("state IN ('queued', 'running')")),
    Index("runs_worker_idx", "worker_id"),
    Index("runs_finished_idx", "finished_at"),
)

run_sources = Table(
    "run_sources",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("position", Integer, nullable=False, comment="order in which the run asks its sources"),
    Column("state", Text, nullable=False, server_default="queued"),
    Column(
        "active", Boolean, nullable=False, server_default="true", comment="the run has not ended"
    ),
    Column("total", Integer, comment="genes to refresh; null until the source has started"),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("found", Integer, nullable=False, server_default="0"),
    Column("absent", Integer, nullable=False, server_default="0"),
    Column("unknown", Integer, nullable=False, server_default="0"),
    Column(
        "requests",
        Integer,
        nullable=False,
        server_default="0",
        comment="number of requests to the upstream",
    ),
    Column(
        "rate_limited",
        Integer,
        nullable=False,
        server_default="0",
        comment="number of answers with the status 429",
    ),
    Column(
        "budget_seconds",
        Double,
        nullable=False,
        server_default="0",
        comment="time that requests have waited for the request budget",
    ),
    Column(
        "bytes_received",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="bytes of bodies as they were sent, mostly compressed",
    ),
    Column(
        "confirmed",
        Integer,
        nullable=False,
        server_default="0",
        comment="stale answers that were kept, because the release is the same",
    ),
    Column(
        "changed",
        Integer,
        nullable=False,
        server_default="0",
        comment="number of genes whose answer changed; a first answer is no change",
    ),
    Column("weight_total", BigInteger, comment="expected work, in the source's own unit"),
    Column("weight_done", BigInteger, nullable=False, server_default="0"),
    Column(
        "weight_at_start",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="weight_done when the current attempt started the source",
    ),
    Column("held", JSONB, comment="why the answers are held: reason, examples, genes, files"),
    Column("accepted", JSONB, comment="what was held and then accepted, with by, note, time"),
    Column("error", Text, comment="why the source failed, or is held"),
    Column(
        "earlier",
        JSONB,
        nullable=False,
        server_default=text("'[]'"),
        comment="begin, end and state of earlier attempts with this source; see migration 0024",
    ),
    at("attempt_started_at"),
    at("started_at"),
    at("finished_at"),
    CheckConstraint(
        "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'held')", name="state"
    ),
    Index(
        "run_sources_one_active_run_per_source",
        "source",
        unique=True,
        postgresql_where=text("active"),
    ),
    # the newest runs of a source are found without a look at all others
    Index("run_sources_source_run_id_idx", "source", "run_id"),
    Index(
        "run_sources_succeeded_idx",
        "source",
        "finished_at",
        postgresql_where=text("state = 'succeeded'"),
    ),
)

run_events = Table(
    "run_events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "run_id",
        BigInteger,
        ForeignKey("runs.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("epoch", Integer, nullable=False),
    Column("event", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default="{}"),
    Column("actor", Text, comment="who did it; null: a worker did"),
    Column(
        "microseconds",
        BigInteger,
        comment="time that ended with it: in the queue, of recovery, or of an attempt",
    ),
    Column(
        "noticed",
        Boolean,
        nullable=False,
        server_default="false",
        comment="whether it was decided what to tell of it",
    ),
    Index(
        "run_events_unnoticed_idx",
        "id",
        postgresql_where=text("NOT noticed AND event IN ('failed', 'held', 'release arrived')"),
    ),
    Index("run_events_worker_idx", text("(detail ->> 'worker')")),
    # the runs on which somebody acted, the newest first
    Index("run_events_actor_idx", "actor", "run_id", postgresql_where=text("actor IS NOT NULL")),
)

attempt_logs = Table(
    "attempt_logs",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column(
        "number",
        Integer,
        primary_key=True,
        comment="counts the lines of the attempt, also those that are not kept",
    ),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        comment="by the clock of the worker's host",
    ),
    Column("level", Text, nullable=False),
    Column("text", Text, nullable=False, comment="without secrets"),
)

workers = Table(
    "workers",
    metadata,
    # a 32-bit id, because it is half of an advisory lock's key
    Column("id", Integer, Identity(), primary_key=True),
    Column("kind", Text, nullable=False, comment="arq or api"),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("session", Text, nullable=False, comment="application_name of the worker's connections"),
    Column("version", Text, nullable=False),
    Column("queue", Text, comment="queue that the worker listens to"),
    Column("slots", Integer, comment="number of runs that the worker executes at a time"),
    Column(
        "heartbeat_timeout",
        Double,
        nullable=False,
        server_default="30",
        comment="seconds after which it counts as frozen without a heartbeat",
    ),
    at("started_at", default_now=True),
    at("heartbeat_at", default_now=True),
    Column(
        "loop_lag",
        Double,
        nullable=False,
        server_default="0",
        comment="longest delay of the event loop in the last minute, in seconds",
    ),
    Column(
        "clock_ahead",
        Double,
        comment="seconds by which the host's clock is ahead of PostgreSQL's",
    ),
    at("stopped_at"),
)
