"""What schedules do beside creating runs: snapshots, backups and exports."""

from app.annotation.scheduled.exports import exports
from app.annotation.scheduled.snapshots import snapshots
from app.annotation.settings import Settings
from app.core.schedules.actions import Actions
from app.core.schedules.backups import backups

__all__ = ["actions"]


def actions(settings: Settings) -> Actions:
    """Return everything that schedules can do, by name."""
    outside = [settings.cache_dir]
    return {"snapshot": snapshots(), "backup": backups(outside), "export": exports(outside)}
