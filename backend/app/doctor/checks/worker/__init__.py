"""The workers, and the queue they are called from."""

from app.doctor.check import Check
from app.doctor.checks.worker import life, load, queue, stale, stop

CHECKS: tuple[Check, ...] = (
    *life.CHECKS,
    *load.CHECKS,
    *queue.CHECKS,
    *stale.CHECKS,
    *stop.CHECKS,
)
