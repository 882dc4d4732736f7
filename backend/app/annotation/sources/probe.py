"""The probes that a source declares. The doctor turns them into checks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.annotation.upstream.host import Host

if TYPE_CHECKING:
    from app.annotation.sources.connector import Connector
    from app.core.checks import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class HostProbe:
    """One small request to a host, whose answer is judged like any answer of the source.

    Args:
        host: the host to ask.
        title: the statement that holds if the probe passes: "Ensembl answers".
        symptom: what an operator notices if the probe fails, in addition to the run that waits.
        why: what a failure means for the operator.
        ask: sends the request and returns the text to report. It raises ``BadAnswer`` or ``Wait``.
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
        name: the check's name after ``upstream.``.
        title: the statement that holds if the probe passes.
        symptom: what an operator notices if the probe fails.
        why: what a failure means for the operator.
        look: the check, called with the settings and a function that returns a connector, or None
            if the services must not be asked.
    """

    name: str
    title: str
    symptom: str
    why: str
    look: "Callable[[Any, Callable[[], Connector] | None], Awaitable[Finding]]"
