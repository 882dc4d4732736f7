"""the first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "genes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("hgnc_id", sa.Text(), nullable=False, comment="HGNC:1100"),
        sa.Column("symbol", sa.Text(), nullable=False, comment="the approved symbol"),
        sa.Column("ensembl_gene_id", sa.Text(), nullable=True, comment="without version"),
        sa.Column("entrez_id", sa.Text(), nullable=True, comment="NCBI's GeneID"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("genes_pkey")),
        sa.UniqueConstraint("hgnc_id", name=op.f("genes_hgnc_id_key")),
    )
    op.create_index("genes_symbol_idx", "genes", [sa.literal_column("lower(symbol)")])
    op.create_table(
        "workers",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="arq or api"),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column(
            "session", sa.Text(), nullable=False, comment="application_name of its connections"
        ),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "heartbeat_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("workers_pkey")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("task", sa.Text(), nullable=False, comment="the name of the job"),
        sa.Column(
            "sources",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="as requested: sorted, unique; null means all",
        ),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column(
            "epoch",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="of the current attempt",
        ),
        sa.Column("worker_id", sa.Integer(), nullable=True, comment="who runs it, or ran it last"),
        sa.Column(
            "attempts", sa.Integer(), server_default="1", nullable=False, comment="1 + failures"
        ),
        sa.Column(
            "interruptions", sa.Integer(), server_default="0", nullable=False, comment="clean stops"
        ),
        sa.Column(
            "losses", sa.Integer(), server_default="0", nullable=False, comment="workers that died"
        ),
        sa.Column("failures_in_a_row", sa.Integer(), server_default="0", nullable=False),
        sa.Column("losses_in_a_row", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_for", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "arq_job_id",
            sa.Text(),
            nullable=True,
            comment="of a client that enqueued the job itself",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progressed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "rung_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="by recovery; null: at its next look",
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mode IN ('smart', 'full')", name=op.f("runs_mode_check")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')",
            name=op.f("runs_state_check"),
        ),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name=op.f("runs_worker_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("runs_pkey")),
        sa.UniqueConstraint("arq_job_id", name=op.f("runs_arq_job_id_key")),
    )
    op.create_index(
        "runs_active_idx",
        "runs",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_table(
        "annotations",
        sa.Column("gene_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="the last good answer, or unknown"),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "release",
            sa.Text(),
            nullable=True,
            comment="of the upstream, that the last good answer is from",
        ),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "checked_state", sa.Text(), nullable=False, comment="the answer of the last check"
        ),
        sa.Column(
            "checked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("checked_run_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="why the last check could not find out"
        ),
        sa.CheckConstraint(
            "checked_state IN ('found', 'absent', 'unknown')",
            name=op.f("annotations_checked_state_check"),
        ),
        sa.CheckConstraint(
            "state IN ('found', 'absent', 'unknown')", name=op.f("annotations_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["gene_id"], ["genes.id"], name=op.f("annotations_gene_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("gene_id", "source", name=op.f("annotations_pkey")),
    )
    op.create_index(
        "annotations_checked_run_idx", "annotations", ["checked_run_id", "source"], unique=False
    )
    op.create_table(
        "run_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("run_events_run_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("run_events_pkey")),
    )
    op.create_index(op.f("run_events_run_id_idx"), "run_events", ["run_id"], unique=False)
    op.create_table(
        "run_sources",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "position",
            sa.Integer(),
            nullable=False,
            comment="the order in which the run takes them",
        ),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column(
            "active",
            sa.Boolean(),
            server_default="true",
            nullable=False,
            comment="the run has not ended",
        ),
        sa.Column(
            "total",
            sa.Integer(),
            nullable=True,
            comment="genes to refresh; null until the source has begun",
        ),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("found", sa.Integer(), server_default="0", nullable=False),
        sa.Column("absent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unknown", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "requests", sa.Integer(), server_default="0", nullable=False, comment="sent upstream"
        ),
        sa.Column(
            "weight_total",
            sa.BigInteger(),
            nullable=True,
            comment="expected work, in the source's own unit",
        ),
        sa.Column("weight_done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "weight_at_start",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="weight_done when the present attempt took the source up",
        ),
        sa.Column("attempt_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')",
            name=op.f("run_sources_state_check"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("run_sources_run_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "source", name=op.f("run_sources_pkey")),
    )
    op.create_index(
        "run_sources_one_active_run_per_source",
        "run_sources",
        ["source"],
        unique=True,
        postgresql_where=sa.text("active"),
    )
    # When a run ends, in whatever way, its sources are free for another run. Sources that the run
    # had not completed are failed or cancelled with it.
    op.execute(
        """
        CREATE FUNCTION run_sources_follow_run() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          UPDATE run_sources SET active = NEW.state IN ('queued', 'running'),
            state = CASE WHEN NEW.state NOT IN ('failed', 'cancelled')
                           OR state NOT IN ('queued', 'running') THEN state
                         WHEN NEW.state = 'failed' AND state = 'running' THEN 'failed'
                         ELSE 'cancelled' END,
            finished_at = CASE WHEN NEW.state IN ('failed', 'cancelled') AND state = 'running'
                          THEN now() ELSE finished_at END
          WHERE run_id = NEW.id AND active <> (NEW.state IN ('queued', 'running'));
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER run_sources_follow_run AFTER UPDATE OF state ON runs
        FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
        EXECUTE FUNCTION run_sources_follow_run()
        """
    )


def downgrade() -> None:
    op.drop_index(
        "run_sources_one_active_run_per_source",
        table_name="run_sources",
        postgresql_where=sa.text("active"),
    )
    op.drop_table("run_sources")
    op.drop_index(op.f("run_events_run_id_idx"), table_name="run_events")
    op.drop_table("run_events")
    op.drop_index("annotations_checked_run_idx", table_name="annotations")
    op.drop_table("annotations")
    op.drop_index(
        "runs_active_idx",
        table_name="runs",
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.drop_table("runs")
    op.drop_table("workers")
    op.drop_index("genes_symbol_idx", table_name="genes")
    op.drop_table("genes")
    op.execute("DROP FUNCTION run_sources_follow_run()")
