"""What the machine has to offer."""

from app.doctor.check import Check
from app.doctor.checks.host import clock, limits, port, units

CHECKS: tuple[Check, ...] = (
    limits.open_files,
    port.port,
    clock.synchronised,
    clock.time_zone,
    clock.zones_agree,
    units.units,
)
