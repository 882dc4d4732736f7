"""PostgreSQL, which holds everything."""

from app.doctor.check import Check
from app.doctor.checks.database import room, server, sessions

CHECKS: tuple[Check, ...] = (*server.CHECKS, *sessions.CHECKS, *room.CHECKS)
