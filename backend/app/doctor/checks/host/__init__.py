"""What the machine has to offer."""

from app.doctor.check import Check
from app.doctor.checks.host import clock, limits, load, port, units

CHECKS: tuple[Check, ...] = (
    load.load,
    limits.open_files,
    port.port,
    clock.synchronised,
    clock.time_zone,
    clock.zones_agree,
    units.units,
)
