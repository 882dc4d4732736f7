"""notifications, their deliveries, and incidents"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    # events that were there before are not told, and older workers write events that are
    op.add_column(
        "run_events",
        sa.Column(
            "noticed",
            sa.Boolean(),
            server_default="true",
            nullable=False,
            comment="whether it was decided what to tell of it",
        ),
    )
    op.alter_column("run_events", "noticed", server_default="false")
    op.create_index(
        "run_events_unnoticed_idx",
        "run_events",
        ["id"],
        postgresql_where=sa.text("NOT noticed AND event IN ('failed', 'held', 'release arrived')"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="kind of the notification that opened it"
        ),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="what it happens to: a source, or what a run was asked for; empty: everything",
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="one line of plain text"),
        sa.Column("run_id", sa.BigInteger(), comment="run that opened it"),
        sa.Column(
            "sources",
            postgresql.ARRAY(sa.Text()),
            comment="sources whose success ends it; null: it ends when its condition does",
        ),
        sa.Column(
            "times",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="how often it has happened",
        ),
        sa.Column("opened_at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.Column("last_at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.Column("closed_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="incidents_pkey"),
    )
    op.create_index(
        "incidents_one_open_per_subject",
        "incidents",
        ["kind", "subject"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column(
            "message_id",
            sa.Uuid(),
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
            comment="the same in each attempt to deliver it",
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False, comment="when it happened"),
        sa.Column("title", sa.Text(), nullable=False, comment="one line of plain text"),
        sa.Column("text", sa.Text(), nullable=False, comment="a few lines of plain text"),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="the same for programs",
        ),
        sa.Column("incident_id", sa.BigInteger()),
        sa.Column("created_at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.Column(
            "planned_at", _TIME, comment="when its deliveries were decided on; null: not yet"
        ),
        sa.PrimaryKeyConstraint("id", name="notifications_pkey"),
        sa.UniqueConstraint("message_id", name="notifications_message_id_key"),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
            name="notifications_incident_id_fkey",
            ondelete="SET NULL",
        ),
        sa.CheckConstraint(
            "severity IN ('info', 'warning', 'critical')", name="notifications_severity_check"
        ),
    )
    op.create_index("notifications_incident_id_idx", "notifications", ["incident_id"])
    op.create_index(
        "notifications_unplanned_idx",
        "notifications",
        ["id"],
        postgresql_where=sa.text("planned_at IS NULL"),
    )
    op.create_table(
        "notification_deliveries",
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "due_at",
            _TIME,
            nullable=False,
            comment="when it is to be tried; while it is being tried, when it counts as"
            " interrupted",
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), comment="why the last attempt failed"),
        sa.Column("delivered_at", _TIME),
        sa.Column(
            "digest_id",
            sa.BigInteger(),
            comment="notification that contains it, if it went into a digest",
        ),
        sa.PrimaryKeyConstraint("notification_id", "channel", name="notification_deliveries_pkey"),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name="notification_deliveries_notification_id_fkey",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["digest_id"],
            ["notifications.id"],
            name="notification_deliveries_digest_id_fkey",
            ondelete="SET NULL",
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'refused', 'given up', 'waiting', 'in digest')",
            name="notification_deliveries_state_check",
        ),
    )
    op.create_index(
        "notification_deliveries_digest_id_idx", "notification_deliveries", ["digest_id"]
    )
    op.create_index(
        "notification_deliveries_due_idx",
        "notification_deliveries",
        ["due_at"],
        postgresql_where=sa.text("state IN ('pending', 'waiting')"),
    )


def downgrade() -> None:
    op.drop_table("notification_deliveries")
    op.drop_table("notifications")
    op.drop_table("incidents")
    op.drop_index("run_events_unnoticed_idx", "run_events")
    op.drop_column("run_events", "noticed")
