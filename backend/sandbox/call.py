import json
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.faults import REPLACING, Fault, Faults


class FaultInstead(Exception):
    """A fault replaces the answer of the request."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.kind)


@dataclass(slots=True)
class Reply:
    """An answer with its data for the statistics, which count only good answers.

    `genes` are the requested symbols. `page` identifies the page within its endpoint.
    """

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    genes: Sequence[str] = ()
    page: Hashable | None = None
    records: int = 0


@dataclass(slots=True)
class Call:
    """One request, as the services see it."""

    endpoint: str
    method: str
    params: dict[str, str]
    values: dict[str, str]
    headers: dict[str, str]
    body: bytes
    url_length: int
    faults: Faults
    met: Fault | None = None

    def meet_fault(self, concerns: Callable[[str], bool]) -> Fault | None:
        """Check once whether the request meets a fault. Call it when the requested genes are known.

        Returns:
            The fault that spoils the answer, if it is of a kind that the service applies itself.

        Raises:
            FaultInstead: the fault replaces the answer.
        """
        self.met = self.faults.meet(self.endpoint, concerns)
        if self.met is not None and self.met.kind in REPLACING:
            raise FaultInstead(self.met)
        return self.met

    def spoilt_by(self, kind: str) -> Fault | None:
        """Return the fault of this kind that the request met, if any."""
        return self.met if self.met is not None and self.met.kind == kind else None


Handler = Callable[[Call], Awaitable[Reply]]


def as_json(value: Any) -> bytes:
    """Return compact JSON, as the services write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
