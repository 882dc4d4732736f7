"""The list of all checks. The command, its JSON and the troubleshooting page come from it."""

from app.annotation.data import checks as data
from app.annotation.notices import checks as notices
from app.annotation.refresh import checks as refresh
from app.core.checks import Check
from app.core.notify import checks as notify
from app.core.notify.channels import checks as channels
from app.core.postgres import checks as postgres
from app.core.process.tracing import checks as traces
from app.core.redis import checks as redis
from app.core.runs import checks as runs
from app.core.schedules import checks as schedules
from app.core.workers import checks as workers
from app.doctor.checks import config, host, upstream

GROUPS = (
    "config",
    "install",
    "redis",
    "worker",
    "database",
    "runs",
    "schedules",
    "notifications",
    "upstream",
    "traces",
    "host",
)
"""The groups of checks, in the order of the output."""

CHECKS: tuple[Check, ...] = tuple(
    sorted(
        (
            *config.CHECKS,
            *redis.CHECKS,
            *postgres.CHECKS,
            *runs.CHECKS,
            *notify.CHECKS,
            *channels.CHECKS,
            *workers.CHECKS,
            *schedules.CHECKS,
            *notices.CHECKS,
            *refresh.CHECKS,
            *data.CHECKS,
            *upstream.CHECKS,
            *traces.CHECKS,
            *host.CHECKS,
        ),
        key=lambda check: GROUPS.index(check.group),
    )
)
"""All checks, ordered by group, and within a group by component."""
