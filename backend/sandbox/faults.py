from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

#: Kinds that replace the real answer.
REPLACING = frozenset(
    {"407", "429", "500", "503", "html", "empty", "error-body", "bomb", "hang", "reset"}
)
#: Kinds that replace a file by a well-formed but wrong one; see `sandbox.wrong_files`.
REWRITING = frozenset({"short", "header-only", "renamed", "zeros"})
#: Kinds that damage the real answer.
SPOILING = frozenset(
    {
        *("truncated", "invalid-json", "raw-newline", "wrong-count", "uid-error", "slow"),
        *("no-length", "older", *REWRITING),
    }
)
KINDS = REPLACING | SPOILING

_MAX_FAULTS = 1_000


class BadFault(ValueError):
    """The requested fault does not exist. The message says what is allowed."""


@dataclass(slots=True)
class Fault:
    """A fault: its kind, the endpoint, and how often it occurs.

    Attributes:
        endpoint: the endpoint's name as in the statistics, such as `clinvar.esummary`; `clinvar` or
            `*` for several.
        kind: one of `KINDS`.
        times: the number of requests that it spoils; None means all.
        gene: the symbol of a gene; only requests about it are spoilt.
        every: n; only every n-th matching request is spoilt.
        seconds: the duration of `slow` (default 1) and `hang` (default: until the client gives up),
            and the Retry-After of `429` (default 2) and `503` (default none).
        seen: the number of matching requests so far.
        fired: the number of spoilt requests so far.
    """

    endpoint: str
    kind: str
    times: int | None = None
    gene: str | None = None
    every: int = 1
    seconds: float | None = None
    seen: int = 0
    fired: int = 0

    def covers(self, endpoint: str) -> bool:
        """Tell whether requests to an endpoint can meet this fault."""
        return self.endpoint in ("*", endpoint) or endpoint.startswith(f"{self.endpoint}.")


class Faults:
    """The active faults, in order. A request meets the first one that matches.

    Args:
        only_at: the endpoints to which some kinds of faults are limited, by kind.
    """

    def __init__(self, only_at: Mapping[str, frozenset[str]]) -> None:
        self._only_at = only_at
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, endpoints: frozenset[str], **wanted: Any) -> Fault:
        """Set a fault.

        Args:
            endpoints: the names of all endpoints.
            wanted: the fields of `Fault`.

        Raises:
            BadFault: an endpoint, kind or field is unknown, or a value is out of range.
        """
        allowed = {"endpoint", "kind", "times", "gene", "every", "seconds"}
        if unknown := set(wanted) - allowed:
            raise BadFault(f"unknown field {min(unknown)!r}; allowed: {sorted(allowed)}")
        if not {"endpoint", "kind"} <= set(wanted):
            raise BadFault("a fault needs `endpoint` and `kind`")
        wanted["every"] = wanted.get("every") or 1
        fault = Fault(**wanted)
        if fault.kind not in KINDS:
            raise BadFault(f"unknown kind {fault.kind!r}; allowed: {sorted(KINDS)}")
        if not any(map(fault.covers, endpoints)):
            raise BadFault(f"unknown endpoint {fault.endpoint!r}; allowed: {sorted(endpoints)}")
        allowed_at = self._only_at.get(fault.kind, endpoints)
        if not any(map(fault.covers, allowed_at)):
            raise BadFault(f"{fault.kind} is for {sorted(allowed_at)} only")
        for name in ("times", "every", "seconds"):
            value = getattr(fault, name)
            if value is not None and (not isinstance(value, int | float) or value < 0):
                raise BadFault(f"{name} must be a number from 0, not {value!r}")
        with self._lock:
            if len(self._faults) >= _MAX_FAULTS:
                raise BadFault(f"more than {_MAX_FAULTS} faults at once")
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Return the active faults with their counts."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def meet(self, endpoint: str, concerns: Callable[[str], bool]) -> Fault | None:
        """Return the fault that a request meets, if any, and count it as fired.

        Args:
            endpoint: the request's endpoint.
            concerns: returns whether the request concerns the gene with a symbol.
        """
        with self._lock:
            for fault in self._faults:
                if not fault.covers(endpoint):
                    continue
                if fault.times is not None and fault.fired >= fault.times:
                    continue
                if fault.gene is not None and not concerns(fault.gene):
                    continue
                fault.seen += 1
                if fault.seen % fault.every:
                    continue
                fault.fired += 1
                return fault
        return None
