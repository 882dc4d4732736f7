import asyncio
from collections.abc import Sequence

import pytest

from app.core.process import tracing
from app.core.process.tracing import ids
from app.core.process.tracing.kinds import BATCH, REQUEST
from app.core.process.tracing.spans import Span

TRACE = ids.trace_of("here", 7)


class Received:
    """Keeps what it is given, as it was given together."""

    def __init__(self) -> None:
        self.groups: list[list[Span]] = []

    def put(self, spans: Sequence[Span]) -> None:
        self.groups.append(list(spans))


def test_outside_of_a_traced_attempt_nothing_happens() -> None:
    with tracing.within_source("hgnc"), tracing.span(BATCH, {"batch.size": 3}, parent=True) as span:
        span.set("batch.size", 4)
        span.add("request.waited", 1.0)
    assert span is tracing.span(REQUEST)


def test_a_batch_is_sent_together_with_its_requests() -> None:
    received = Received()
    with tracing.within_attempt(received, TRACE, 2), tracing.within_source("hgnc"):
        with tracing.span(BATCH, parent=True):
            for _ in range(2):
                with tracing.span(REQUEST, label="hgnc"):
                    pass
            assert received.groups == []
        with tracing.span(REQUEST):
            pass
    (batch, *requests), (alone,) = received.groups
    source = ids.source_span(TRACE, 2, "hgnc")
    assert (batch.kind, batch.parent_id) == (BATCH, source)
    assert [each.parent_id for each in requests] == [batch.span_id] * 2
    assert (alone.kind, alone.parent_id) == (REQUEST, source)
    assert batch.began <= requests[0].began <= requests[1].ended <= batch.ended
    assert {each.trace_id for each in (batch, *requests, alone)} == {TRACE}


async def test_requests_that_are_sent_side_by_side_belong_to_their_own_batches() -> None:
    received = Received()

    async def ask(size: int) -> None:
        with tracing.span(BATCH, {"batch.size": size}, parent=True):
            await asyncio.sleep(0)
            with tracing.span(REQUEST, {"http.request.resend_count": size}):
                await asyncio.sleep(0)

    with tracing.within_attempt(received, TRACE, 1), tracing.within_source("hgnc"):
        await asyncio.gather(*(ask(size) for size in range(5)))
    for batch, request in received.groups:
        assert request.parent_id == batch.span_id
        assert request.attributes["http.request.resend_count"] == batch.attributes["batch.size"]


def test_an_exception_is_the_error_of_its_span() -> None:
    received = Received()
    with (
        pytest.raises(ValueError, match="no"),
        tracing.within_attempt(received, TRACE, 1),
        tracing.span(REQUEST),
    ):
        raise ValueError("no answer")
    ((span,),) = received.groups
    assert span.error == "ValueError: no answer"


def test_seconds_that_are_added_are_summed_up() -> None:
    received = Received()
    with tracing.within_attempt(received, TRACE, 1), tracing.span(REQUEST) as span:
        span.add("request.waited", 0.5)
        span.add("request.waited", 0.25)
    assert received.groups[0][0].attributes == {"request.waited": 0.75}
