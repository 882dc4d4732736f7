from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

from app.core.errors import CHECK_INSTALLATION
from app.core.notify.message import Kind, Message, Severity
from app.core.notify.notice import CommandOf


def unit_failed(unit: str, host: str, environ: Mapping[str, str], command: CommandOf) -> Message:
    """Return the message that a systemd unit has failed and is not restarted.

    Args:
        unit: the name of the unit.
        host: the name of the machine.
        environ: the environment, with systemd's details of the failure (``MONITOR_…`` in
            systemd.exec(5), since systemd 251).
        command: returns the command for a step.
    """
    result = environ.get("MONITOR_SERVICE_RESULT", "")
    status = environ.get("MONITOR_EXIT_STATUS", "")
    why = ""
    if result:
        why = f" It ended with the result {result!r}" + (
            f" and the status {status}" if status else ""
        )
        why += "."
    if (result, status) == ("exit-code", "2"):
        why += " Status 2 means that its settings are wrong; its journal names them."
    invocation = environ.get("MONITOR_INVOCATION_ID", "")
    return Message(
        id=f"unit-{invocation if invocation.isalnum() else uuid4().hex}",
        kind=Kind.UNIT_FAILED,
        severity=Severity.CRITICAL,
        at=datetime.now(UTC),
        title=f"{unit} failed on {host}",
        text=(
            f"systemd does not restart {unit} on {host}.{why}\n"
            f"To see why: journalctl -u {unit} -n 50\n"
            f"To check the installation: cd /opt/kidney-genetics && "
            f"{command(CHECK_INSTALLATION)}\n"
            f"To start it again: systemctl restart {unit}"
        ),
        detail={"unit": unit, "host": host, "result": result, "status": status},
    )
