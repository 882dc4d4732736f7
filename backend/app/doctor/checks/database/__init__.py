"""PostgreSQL, which holds everything."""

from app.doctor.check import Check
from app.doctor.checks.database import content, room, server, sessions

CHECKS: tuple[Check, ...] = (*server.CHECKS, *content.CHECKS, *sessions.CHECKS, *room.CHECKS)
