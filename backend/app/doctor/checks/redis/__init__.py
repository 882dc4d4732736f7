"""Redis, which carries the bells and the request budgets."""

from app.doctor.check import Check
from app.doctor.checks.redis import access, budgets, room, server, shared

CHECKS: tuple[Check, ...] = (
    *server.CHECKS,
    *access.CHECKS,
    *room.CHECKS,
    *budgets.CHECKS,
    *shared.CHECKS,
)
