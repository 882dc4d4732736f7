"""The actions of schedules other than runs: snapshots, backups and exports."""

from app.annotation.scheduled.exports import export_action
from app.annotation.scheduled.snapshots import snapshot_action
from app.annotation.settings import Settings
from app.core.schedules.actions import Actions
from app.core.schedules.backups import backup_action

__all__ = ["actions", "exports", "snapshots"]


def actions(settings: Settings) -> Actions:
    """Return all actions of schedules by name."""
    outside = [settings.cache_dir]
    return {
        "snapshot": snapshot_action(),
        "backup": backup_action(outside),
        "export": export_action(outside),
    }
