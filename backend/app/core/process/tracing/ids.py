"""The ids of traces and spans.

The id of a trace, and of each span that PostgreSQL knows about, is computed from the installation
and the run. So all workers agree on the ids without communication, even for dead workers' attempts.
"""

import hashlib
import re
from typing import NamedTuple

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class Caller(NamedTuple):
    """The span of a caller: its trace, its id and its flags."""

    trace_id: int
    span_id: int
    flags: int


def trace_of(installation: str, run_id: int) -> int:
    """Return the id of a run's trace."""
    return _digest(16, installation, run_id)


def run_span(trace_id: int) -> int:
    """Return the id of the root span."""
    return _digest(8, trace_id, "run")


def reopened_span(trace_id: int, epoch: int) -> int:
    """Return the id of the span of a run that was reopened under an epoch."""
    return _digest(8, trace_id, "reopened", epoch)


def attempt_span(trace_id: int, epoch: int) -> int:
    """Return the id of an attempt's span."""
    return _digest(8, trace_id, "attempt", epoch)


def source_span(trace_id: int, epoch: int, source: str) -> int:
    """Return the id of the span of a source in an attempt."""
    return _digest(8, trace_id, "source", epoch, source)


def as_text(trace_id: int) -> str:
    """Return a trace id in its text form: 32 hexadecimal digits."""
    return f"{trace_id:032x}"


def read_traceparent(header: str) -> Caller | None:
    """Parse the header `traceparent` of a caller; return None if it is invalid.

    The form is that of W3C Trace Context, section 3.2: version `ff` and all-zero ids are invalid,
    and only versions after `00` may have more fields.
    """
    found = _TRACEPARENT.fullmatch(header.strip(" \t"))
    if found is None or (found[1] == "00" and found[5]):
        return None
    caller = Caller(int(found[2], 16), int(found[3], 16), int(found[4], 16))
    return caller if caller.trace_id and caller.span_id else None


def write_traceparent(caller: Caller) -> str:
    """Format a caller's span as a `traceparent` of version 00."""
    return f"00-{caller.trace_id:032x}-{caller.span_id:016x}-{caller.flags:02x}"


def _digest(size: int, *parts: object) -> int:
    # zero is not a valid id
    text = "\0".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest()) or 1
