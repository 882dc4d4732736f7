"""The probes of a source, from which the doctor makes its checks of upstream services."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.annotation.upstream.host import Host

if TYPE_CHECKING:
    from app.annotation.sources.connector import Connector
    from app.core.checks import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class HostProbe:
    """One small request to a host, judged as the source judges its answers.

    Args:
        host: that is asked.
        title: what is true when the probe passes: "Ensembl answers".
        symptom: what an operator notices when the probe fails, in addition to the run that waits.
        why: what a failure means for the operator.
        ask: asks, and returns what to report. It raises ``BadAnswer`` or ``Wait``.
    """

    host: Host
    title: str
    symptom: str = ""
    why: str
    ask: "Callable[[Connector], Awaitable[str]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingProbe:
    """A check of a setting that only this source has.

    Args:
        name: the check's name, behind ``upstream.``.
        title: what is true when the probe passes.
        symptom: what an operator notices when the probe fails.
        why: what a failure means for the operator.
        look: makes the check. It is called with the settings, and with a function that returns a
            connector, or None when the services may not be asked.
    """

    name: str
    title: str
    symptom: str
    why: str
    look: "Callable[[Any, Callable[[], Connector] | None], Awaitable[Finding]]"
