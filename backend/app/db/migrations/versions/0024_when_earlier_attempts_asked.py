"""when earlier attempts asked each source"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"

MOST = 100
"""The last attempts of which the times of a source are kept."""

_FUNCTION = f"""
CREATE FUNCTION run_sources_keep_earlier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.earlier := OLD.earlier || jsonb_build_array(jsonb_build_object(
    'begin', OLD.attempt_started_at, 'end', OLD.finished_at, 'state', OLD.state));
  IF jsonb_array_length(NEW.earlier) > {MOST} THEN
    NEW.earlier := NEW.earlier - 0;
  END IF;
  RETURN NEW;
END $$
"""

# most updates leave the column alone, and do not call the function
_TRIGGER = """
CREATE TRIGGER run_sources_keep_earlier BEFORE UPDATE OF attempt_started_at ON run_sources
FOR EACH ROW WHEN (OLD.attempt_started_at IS NOT NULL
  AND NEW.attempt_started_at IS DISTINCT FROM OLD.attempt_started_at)
EXECUTE FUNCTION run_sources_keep_earlier()
"""


def upgrade() -> None:
    op.add_column(
        "run_sources",
        sa.Column(
            "earlier",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="begin, end and state of earlier attempts with this source; see migration 0024",
        ),
    )
    op.execute(_FUNCTION)
    op.execute(_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER run_sources_keep_earlier ON run_sources")
    op.execute("DROP FUNCTION run_sources_keep_earlier()")
    op.drop_column("run_sources", "earlier")
