"""indexes by which retention finds what refers to a run or a worker"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_INDEXES: dict[str, tuple[str, list[str | sa.TextClause]]] = {
    "annotation_history_fetched_run_idx": ("annotation_history", ["fetched_run_id"]),
    "annotation_history_changed_run_idx": ("annotation_history", ["changed_run_id"]),
    "gene_events_run_idx": ("gene_events", ["run_id"]),
    "schedule_ticks_run_idx": ("schedule_ticks", ["run_id"]),
    "runs_worker_idx": ("runs", ["worker_id"]),
    "run_events_worker_idx": ("run_events", [sa.text("(detail ->> 'worker')")]),
}


_PARTIAL = {
    "annotations_fetched_run_idx": "fetched_run_id",
    "annotations_changed_run_idx": "changed_run_id",
}


def upgrade() -> None:
    for name, column in _PARTIAL.items():
        where = sa.text(f"{column} IS DISTINCT FROM checked_run_id")
        op.create_index(name, "annotations", [column], postgresql_where=where)
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table_name=table)
    for name in _PARTIAL:
        op.drop_index(name, table_name="annotations")
