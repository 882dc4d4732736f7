"""Spans, and the hooks with which the work of a run creates them."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from app.core.process.tracing import ids
from app.core.process.tracing.ids import Caller
from app.core.process.tracing.kinds import Kind

MAX_OPEN_SPANS = 2_000
"""Spans that wait for the end of their parent. Halving a batch of 200 takes about 400 requests."""

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Span:
    """A span that has ended.

    Attributes:
        kind: see :mod:`~app.core.process.tracing.kinds`.
        trace_id: the id of the run's trace.
        span_id: the id of the span.
        parent_id: the id of the parent; None for the root.
        began: nanoseconds since 1970.
        ended: nanoseconds since 1970.
        label: the part of the name after the kind.
        attributes: the known attributes of its kind.
        error: the reason of the failure; None if the span succeeded.
        caller: the caller's span to which it links.
    """

    kind: Kind
    trace_id: int
    span_id: int
    parent_id: int | None
    began: int
    ended: int
    label: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    error: str | None = None
    caller: Caller | None = None


class Receiver(Protocol):
    """Receives ended spans."""

    def put(self, spans: Sequence[Span]) -> None:
        """Receive spans that are sent or dropped together. This neither blocks nor fails."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The position of the work in the trace: the parent of new spans, and their receiver."""

    receiver: Receiver
    trace_id: int
    epoch: int
    span_id: int


_here: ContextVar[_Place | None] = ContextVar("place in the trace", default=None)


@contextmanager
def within_attempt(receiver: Receiver, trace_id: int, epoch: int) -> Iterator[None]:
    """Make the spans of a block children of an attempt, whose own span is not sent here."""
    place = _Place(receiver, trace_id, epoch, ids.attempt_span(trace_id, epoch))
    token = _here.set(place)
    try:
        yield
    finally:
        _here.reset(token)


@contextmanager
def within_source(name: str) -> Iterator[None]:
    """Make the spans of a block children of a source, whose own span is not sent here."""
    here = _here.get()
    if here is None:
        yield
        return
    span_id = ids.source_span(here.trace_id, here.epoch, name)
    token = _here.set(_Place(here.receiver, here.trace_id, here.epoch, span_id))
    try:
        yield
    finally:
        _here.reset(token)


class Untraced:
    """A span that is not recorded. All its methods do nothing."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave(error)

    def set(self, name: str, value: Value) -> None:
        """Set an attribute."""

    def add(self, name: str, seconds: float) -> None:
        """Add to an attribute that counts seconds."""

    def fail(self, reason: str) -> None:
        """Record why the span failed, if no exception does."""

    def _leave(self, error: BaseException | None) -> None:
        """Handle the end of the block."""


class _Traced(Untraced):
    """A span that is sent when its block ends."""

    __slots__ = ("_attributes", "_began", "_error", "_here", "_kind", "_label", "_started")

    def __init__(
        self, here: _Place, kind: Kind, label: str, attributes: Mapping[str, Value]
    ) -> None:
        self._here = here
        self._kind = kind
        self._label = label
        self._attributes = dict(attributes)
        self._error: str | None = None

    def __enter__(self) -> Self:
        self._began = time.time_ns()
        self._started = time.perf_counter_ns()
        return self

    def set(self, name: str, value: Value) -> None:
        """Set an attribute."""
        self._attributes[name] = value

    def add(self, name: str, seconds: float) -> None:
        """Add to an attribute that counts seconds."""
        self._attributes[name] = float(self._attributes.get(name, 0.0)) + seconds

    def fail(self, reason: str) -> None:
        """Record why the span failed, if no exception does."""
        self._error = reason

    def _leave(self, error: BaseException | None) -> None:
        self._here.receiver.put([self._end(error, random.getrandbits(64) or 1)])

    def _end(self, error: BaseException | None, span_id: int) -> Span:
        if error is not None:
            message = str(error)
            self._error = f"{type(error).__name__}: {message}" if message else type(error).__name__
        return Span(
            self._kind,
            self._here.trace_id,
            span_id,
            self._here.span_id,
            self._began,
            # not the wall clock, which may have been set meanwhile
            self._began + time.perf_counter_ns() - self._started,
            self._label,
            self._attributes,
            self._error,
        )


class _Parent(_Traced):
    """A span with children, which are sent together with it.

    If the worker is killed, neither the children nor the parent are sent, so the tree has no
    orphans.
    """

    __slots__ = ("_kept", "_span_id", "_token")

    def __enter__(self) -> Self:
        self._span_id = random.getrandbits(64) or 1
        self._kept: list[Span] | None = []
        here = self._here
        self._token = _here.set(_Place(self, here.trace_id, here.epoch, self._span_id))
        return super().__enter__()

    def _leave(self, error: BaseException | None) -> None:
        _here.reset(self._token)
        kept, self._kept = self._kept or [], None
        self._here.receiver.put([self._end(error, self._span_id), *kept])

    def put(self, spans: Sequence[Span]) -> None:
        """Keep children until this span ends."""
        if self._kept is None or len(self._kept) >= MAX_OPEN_SPANS:
            self._here.receiver.put(spans)
        else:
            self._kept += spans


_UNTRACED = Untraced()


def span(
    kind: Kind,
    attributes: Mapping[str, Value] | None = None,
    *,
    label: str = "",
    parent: bool = False,
) -> Untraced:
    """Return a context manager for a span; outside of a traced attempt, it does nothing.

    Args:
        kind: see :mod:`~app.core.process.tracing.kinds`.
        attributes: the attributes that are known at the start.
        label: the part of the name after the kind.
        parent: whether the spans inside the block become children of this one.
    """
    here = _here.get()
    if here is None:
        return _UNTRACED
    return (_Parent if parent else _Traced)(here, kind, label, attributes or {})
