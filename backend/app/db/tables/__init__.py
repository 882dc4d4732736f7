"""The tables. Everything that must not be lost is stored in them: runs, events and annotations.

There is one module for each group of tables.
"""

from app.db.tables.annotations import accepted_files, annotations, origins, source_releases
from app.db.tables.columns import metadata
from app.db.tables.genes import gene_events, gene_names, genes, merged_ids
from app.db.tables.history import annotation_history, history_horizon, rollbacks, snapshots
from app.db.tables.lists import gene_list_genes, gene_lists
from app.db.tables.notifications import (
    incident_looks,
    incidents,
    notification_deliveries,
    notifications,
)
from app.db.tables.own_tables import own_rows, own_tables
from app.db.tables.runs import attempt_logs, run_events, run_sources, runs, workers
from app.db.tables.schedules import schedule_ticks, schedules
from app.db.tables.totals import event_totals, source_totals

__all__ = [
    "accepted_files",
    "annotation_history",
    "annotations",
    "attempt_logs",
    "event_totals",
    "gene_events",
    "gene_list_genes",
    "gene_lists",
    "gene_names",
    "genes",
    "history_horizon",
    "incident_looks",
    "incidents",
    "merged_ids",
    "metadata",
    "notification_deliveries",
    "notifications",
    "origins",
    "own_rows",
    "own_tables",
    "rollbacks",
    "run_events",
    "run_sources",
    "runs",
    "schedule_ticks",
    "schedules",
    "snapshots",
    "source_releases",
    "source_totals",
    "workers",
]
