"""The tables. Everything that must not be lost is stored in them: runs, events and annotations."""

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
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


def _at(name: str, *, default_now: bool = False) -> "Column[object]":
    if default_now:
        return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())
    return Column(name, DateTime(timezone=True))


genes = Table(
    "genes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "hgnc_id",
        Text,
        nullable=False,
        unique=True,
        comment="HGNC's identifier with its prefix, such as HGNC:1100",
    ),
    Column("symbol", Text, nullable=False, comment="HGNC's approved symbol"),
    Column("ensembl_gene_id", Text, comment="Ensembl's gene id, without its version"),
    Column("entrez_id", Text, comment="NCBI's GeneID"),
    _at("created_at", default_now=True),
    _at("updated_at", default_now=True),
    Column(
        "successor_id",
        BigInteger,
        ForeignKey("genes.id", ondelete="SET NULL"),
        index=True,
        comment="gene that HGNC merged this one into",
    ),
    Column(
        "withdrawn_at",
        DateTime(timezone=True),
        comment="when HGNC was first seen to have withdrawn the gene; no source is asked about it"
        " any more",
    ),
    Index("genes_symbol_idx", text("lower(symbol)")),
)

merged_ids = Table(
    "merged_ids",
    metadata,
    Column("hgnc_id", Text, primary_key=True, comment="of a gene that HGNC merged"),
    Column(
        "successor",
        Text,
        nullable=False,
        index=True,
        comment="HGNC id of the gene it became part of",
    ),
)

gene_names = Table(
    "gene_names",
    metadata,
    Column(
        "hgnc_id",
        Text,
        primary_key=True,
        comment="of an approved gene, which may not be in the table genes",
    ),
    Column("kind", Text, primary_key=True, comment="symbol (the approved one), previous or alias"),
    Column("name", Text, primary_key=True),
    CheckConstraint("kind IN ('symbol', 'previous', 'alias')", name="kind"),
    Index("gene_names_name_idx", text("upper(name)")),
)

gene_events = Table(
    "gene_events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "gene_id",
        BigInteger,
        ForeignKey("genes.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when it was noticed",
    ),
    Column("event", Text, nullable=False),
    Column(
        "detail",
        JSONB,
        nullable=False,
        server_default="{}",
        comment="from and to, or the HGNC ids of the genes that it was merged or split into",
    ),
    Column("run_id", BigInteger, comment="run that noticed it; null: an import of genes"),
)

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
    _at("not_before"),
    Column("waiting_for", Text),
    Column("error", Text),
    Column(
        "arq_job_id", Text, unique=True, comment="id of the job, if a client of arq enqueued it"
    ),
    _at("created_at", default_now=True),
    _at("started_at"),
    _at("attempt_started_at"),
    _at("progressed_at"),
    Column(
        "wake_up_sent_at",
        DateTime(timezone=True),
        comment="when recovery last sent a wake-up; null: at the next recovery pass",
    ),
    Column(
        "rung_at",
        DateTime(timezone=True),
        comment="written only by workers of versions before 0.2",
    ),
    _at("finished_at"),
    CheckConstraint(
        "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="state"
    ),
    CheckConstraint("mode IN ('smart', 'full')", name="mode"),
    Index("runs_active_idx", "state", postgresql_where=text("state IN ('queued', 'running')")),
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
        "confirmed",
        Integer,
        nullable=False,
        server_default="0",
        comment="stale answers that were kept, because the release is the same",
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
    Column(
        "accept_losses",
        Boolean,
        nullable=False,
        server_default="false",
        comment="written only by versions before 0.2",
    ),
    Column("held", JSONB, comment="why the answers are held: reason, examples, genes, files"),
    Column("accepted", JSONB, comment="what was held and then accepted, with by, note, time"),
    Column("error", Text, comment="why the source failed, or is held"),
    _at("attempt_started_at"),
    _at("started_at"),
    _at("finished_at"),
    CheckConstraint(
        "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'held')", name="state"
    ),
    Index(
        "run_sources_one_active_run_per_source",
        "source",
        unique=True,
        postgresql_where=text("active"),
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
    _at("started_at", default_now=True),
    _at("heartbeat_at", default_now=True),
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
    _at("stopped_at"),
)

origins = Table(
    "origins",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("release", Text, comment="as people read it: a version or a day; null: not stated"),
    Column("marker", Text, comment="what differs between two releases, such as the ETag of a file"),
    Column(
        "files",
        JSONB,
        nullable=False,
        comment="address, without secrets, and SHA-256 of each file; null: a service was asked",
    ),
    Column("parser", Text, nullable=False, comment="version of what the source makes of it"),
    _at("first_seen_at", default_now=True),
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
    Column("of", Text, primary_key=True, comment="file or service"),
    Column("release", Text, nullable=False, comment="as people read it"),
    Column(
        "marker",
        Text,
        nullable=False,
        comment="what differs between two releases, such as the ETag of a file",
    ),
    Column("address", Text, nullable=False, comment="that stated the release"),
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

annotations = Table(
    "annotations",
    metadata,
    Column("gene_id", BigInteger, ForeignKey("genes.id", ondelete="CASCADE"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("state", Text, nullable=False, comment="the last good answer, or unknown"),
    Column("data", JSONB),
    Column("release", Text, comment="release of the source that the last good answer is from"),
    _at("fetched_at"),
    Column("checked_state", Text, nullable=False, comment="the answer of the last check"),
    _at("checked_at", default_now=True),
    Column("checked_run_id", BigInteger),
    Column("reason", Text, comment="why the last check could not find out the answer"),
    Column(
        "doubted",
        Boolean,
        nullable=False,
        server_default="false",
        comment="written only by versions before 0.2",
    ),
    Column(
        "origin_id",
        BigInteger,
        ForeignKey("origins.id"),
        comment="where the last good answer came from",
    ),
    Column(
        "checked_origin_id",
        BigInteger,
        ForeignKey("origins.id"),
        comment="where the last check looked",
    ),
    Column("fetched_run_id", BigInteger, comment="run that fetched the last good answer"),
    CheckConstraint("state IN ('found', 'absent', 'unknown')", name="state"),
    CheckConstraint("checked_state IN ('found', 'absent', 'unknown')", name="checked_state"),
    Index("annotations_checked_run_idx", "checked_run_id", "source"),
    Index(None, "source", "state"),
)

accepted_files = Table(
    "accepted_files",
    metadata,
    Column("source", Text, primary_key=True),
    Column("name", Text, primary_key=True, comment="name of the bulk file"),
    Column("digest", Text, nullable=False, comment="SHA-256 of the file as it was fetched"),
    Column("rows", BigInteger, nullable=False, comment="number of rows without the header"),
    Column("genes", BigInteger, nullable=False, comment="number of different genes in all rows"),
    Column("release", Text, nullable=False, comment="release of the source"),
    Column("address", Text, comment="where the file was downloaded"),
    Column("marker", Text, comment="ETag of the file, or its Last-Modified"),
    Column("bytes", BigInteger, comment="size of the file as it was downloaded"),
    _at("accepted_at", default_now=True),
    Column("accepted_run_id", BigInteger),
)

own_tables = Table(
    "own_tables",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, comment="name of the source"),
    Column("title", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("release", Text, nullable=False, comment="as people read it"),
    Column("file_name", Text, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the file"),
    Column("bytes", BigInteger, nullable=False, comment="size of the file"),
    Column("rows", BigInteger, nullable=False, comment="number of rows without the header"),
    Column("genes", BigInteger, nullable=False, comment="number of different genes in all rows"),
    Column(
        "columns",
        JSONB,
        nullable=False,
        comment="names of the columns in their order, with what they hold: number or text",
    ),
    Column(
        "keys",
        ARRAY(Text),
        nullable=False,
        comment="columns of genes by which rows name their genes",
    ),
    Column("added_by", Text, nullable=False),
    _at("added_at", default_now=True),
    Column(
        "replaced_at",
        DateTime(timezone=True),
        comment="when a newer file was added, or the source was removed; null: current",
    ),
    Index(
        "own_tables_one_current_file",
        "name",
        unique=True,
        postgresql_where=text("replaced_at IS NULL"),
    ),
)

own_rows = Table(
    "own_rows",
    metadata,
    Column(
        "table_id", BigInteger, ForeignKey("own_tables.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("line", Integer, primary_key=True, comment="line, or row of a sheet"),
    Column("key", Text, comment="column of genes that the row names its gene by; null: none"),
    Column("value", Text, comment="the identifier, or the symbol in capital letters"),
    Column("data", JSONB, nullable=False, comment="the cells by column"),
    Index("own_rows_gene_idx", "table_id", "key", "value"),
)
