import asyncio
import logging
import threading
from collections.abc import Sequence

import pytest

from app.core.process.tracing import sending
from app.core.process.tracing.kinds import REQUEST
from app.core.process.tracing.sending import SpanSender
from app.core.process.tracing.spans import Span
from harness.timing import WAIT, scaled
from harness.waiting import until

SPAN = Span(REQUEST, 1, 2, 3, 4, 5)


class Collector:
    """An exporter whose collector fails, or stops, as the test says."""

    def __init__(self) -> None:
        self.why: str | None = None
        self.error: Exception | None = None
        self.requests: list[int] = []
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.answers.set()
        self.shut = False

    @property
    def spans(self) -> int:
        return sum(self.requests)

    def send(self, spans: Sequence[Span]) -> str | None:
        self.asked.set()
        self.answers.wait(scaled(WAIT))
        if self.error is not None:
            raise self.error
        if self.why is None:
            self.requests.append(len(spans))
        return self.why

    def shut_down(self) -> None:
        self.shut = True
        self.answers.set()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Collector:
    monkeypatch.setattr(sending, "SEND_INTERVAL", 0.01)
    return Collector()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger=sending.__name__)
    return caplog


async def test_queued_spans_are_sent_before_the_end(collector: Collector) -> None:
    sender = SpanSender(collector, "http://here")
    for _ in range(3):
        sender.put([SPAN, SPAN])
    await sender.stop()
    assert (collector.spans, sender.dropped) == (6, 0)


async def test_spans_that_belong_together_are_not_split(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MAX_SENT", 5)
    collector.answers.clear()
    sender = SpanSender(collector, "http://here")
    for size in (3, 3, 2, 9, 1):
        sender.put([SPAN] * size)
    collector.answers.set()
    await sender.stop()
    assert collector.spans == 18
    assert set(collector.requests) <= {3, 5, 9, 1, 2}


async def test_a_collector_that_is_down_costs_spans_and_one_line(
    collector: Collector, log: pytest.LogCaptureFixture
) -> None:
    collector.why = "connection refused"
    sender = SpanSender(collector, "http://here")
    for count in range(1, 6):
        sender.put([SPAN])
        until(lambda count=count: sender.dropped == count)
    assert log.messages == ["dropping the spans for http://here: connection refused"]
    collector.why = None
    sender.put([SPAN])
    until(lambda: len(log.messages) == 2)
    assert log.messages[1] == "spans are being sent again; 5 have been dropped so far"
    await sender.stop()
    assert log.messages[2] == "5 spans were not sent to http://here"


async def test_the_queue_is_bounded_and_putting_never_waits(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sending, "MAX_WAITING", 10)
    collector.answers.clear()
    sender = SpanSender(collector, "http://here")
    for _ in range(1_000):
        sender.put([SPAN])
    assert sender.dropped >= 1_000 - 2 * 10
    collector.answers.set()
    await sender.stop()
    assert collector.spans + sender.dropped == 1_000
    assert log.messages[0] == "dropping the spans for http://here: the collector is too slow"


async def test_a_collector_that_does_not_answer_does_not_keep_the_process(
    collector: Collector, log: pytest.LogCaptureFixture
) -> None:
    collector.answers.clear()
    sender = SpanSender(collector, "http://here")
    sender.put([SPAN, SPAN])
    assert await asyncio.to_thread(collector.asked.wait, scaled(WAIT))
    sender.put([SPAN])
    await sender.stop(within=0.1)
    assert collector.shut
    assert log.messages == ["3 spans were not sent to http://here"]


async def test_a_fault_of_the_exporter_does_not_end_the_thread(
    collector: Collector, log: pytest.LogCaptureFixture
) -> None:
    collector.error = TypeError("cannot encode")
    sender = SpanSender(collector, "http://here")
    sender.put([SPAN])
    until(lambda: sender.dropped == 1)
    collector.error = None
    sender.put([SPAN])
    await sender.stop()
    assert collector.spans == 1
    assert any(record.exc_info for record in log.records)
