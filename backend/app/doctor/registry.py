"""The single list of checks: the command, its JSON and the troubleshooting page come from it."""

from app.doctor.check import Check
from app.doctor.checks import config, database, host, install, redis, runs, upstream, worker

CHECKS: tuple[Check, ...] = (
    *config.CHECKS,
    *install.CHECKS,
    *redis.CHECKS,
    *worker.CHECKS,
    *database.CHECKS,
    *runs.CHECKS,
    *upstream.CHECKS,
    *host.CHECKS,
)
"""In the order in which they are shown."""
