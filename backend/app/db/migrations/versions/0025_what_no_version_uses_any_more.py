"""columns that no version uses any more, and one more event in plain words"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_COLUMNS: tuple[tuple[str, sa.Column[Any]], ...] = (
    ("runs", sa.Column("rung_at", sa.DateTime(timezone=True))),
    (
        "run_sources",
        sa.Column("accept_losses", sa.Boolean(), server_default="false", nullable=False),
    ),
    ("annotations", sa.Column("doubted", sa.Boolean(), server_default="false", nullable=False)),
)
"""Only version 0.1.0 wrote them. Its processes have to be stopped before any later migration."""


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.drop_column(table, column.name)
    for table in ("run_events", "event_totals"):
        op.execute(f"UPDATE {table} SET event = 'unknown terms' WHERE event = 'unknown_terms'")


def downgrade() -> None:
    for table in ("run_events", "event_totals"):
        op.execute(f"UPDATE {table} SET event = 'unknown_terms' WHERE event = 'unknown terms'")
    for table, column in _COLUMNS:
        op.add_column(table, column)
