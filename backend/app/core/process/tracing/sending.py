"""The queue of spans and the thread that sends them."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from app.core.process.tracing.spans import Span

logger = logging.getLogger(__name__)

MAX_WAITING = 8_192
"""Spans in the queue. When the collector is too slow, further ones are dropped."""

MAX_SENT = 512
"""About how many spans are sent together."""

SEND_INTERVAL = 1.0
"""Seconds between two looks at the queue, unless it has enough for a request before."""

REQUEST_TIMEOUT = 5.0
"""Seconds that a request to the collector may take, including its retries."""

STOP_TIMEOUT = 3.0
"""Seconds that the end of the process waits for the collector."""


class Exporter(Protocol):
    """Sends spans to a collector."""

    def send(self, spans: Sequence[Span]) -> str | None:
        """Send spans; return None, or why they could not be sent. It may block."""

    def shut_down(self) -> None:
        """End a :meth:`send` that is under way as soon as possible."""


class SpanSender:
    """Sends spans to a collector, in a thread of its own.

    The work never waits for it. If the collector is down or too slow, spans are dropped and
    counted. One line of the log says so, and another one when spans are sent again.

    Args:
        exporter: sends the spans.
        address: of the collector, for the log.

    Attributes:
        dropped: the number of spans that were dropped.
    """

    def __init__(self, exporter: Exporter, address: str) -> None:
        self.dropped = 0
        self._exporter = exporter
        self._address = address
        # what was put together is sent together, so that no part of it is lost alone
        self._groups: deque[list[Span]] = deque()
        self._waiting = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._given_up = False
        self._full = False
        self._said_so = False
        # a daemon: the process does not wait for a collector that does not answer
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def put(self, spans: Sequence[Span]) -> None:
        """Take spans to send. It neither blocks nor fails: at the limit, it drops the spans."""
        with self._lock:
            if self._waiting + len(spans) > MAX_WAITING:
                self.dropped += len(spans)
                self._full = True
                return
            self._groups.append(list(spans))
            self._waiting += len(spans)
            enough = self._waiting >= MAX_SENT
        if enough:
            self._wake.set()

    async def stop(self, within: float = STOP_TIMEOUT) -> None:
        """Send what is left, and end. What is not sent in time is dropped.

        Args:
            within: seconds.
        """
        self._stopping = True
        self._wake.set()
        await asyncio.to_thread(self._thread.join, within)
        if self._thread.is_alive():
            with self._lock:
                self._given_up = True
                self.dropped += self._waiting + self._in_flight
            self._exporter.shut_down()
        if self.dropped:
            logger.warning("spans that were not sent to %s: %d", self._address, self.dropped)

    def _run(self) -> None:
        while True:
            self._wake.wait(SEND_INTERVAL)
            self._wake.clear()
            stopping = self._stopping
            while spans := self._take():
                self._log(self._send(spans))
            if stopping:
                return

    def _take(self) -> list[Span]:
        taken: list[Span] = []
        with self._lock:
            while self._groups and (not taken or len(taken) + len(self._groups[0]) <= MAX_SENT):
                taken += self._groups.popleft()
            self._waiting -= len(taken)
            self._in_flight = len(taken)
        return taken

    def _send(self, spans: Sequence[Span]) -> str | None:
        """Send spans; return why they, or others since the last time, were dropped."""
        try:
            why = self._exporter.send(spans)
        except Exception as error:
            logger.exception("spans could not be sent")
            why = type(error).__name__
        with self._lock:
            full, self._full = self._full, False
            self._in_flight = 0
            if why is not None and not self._given_up:
                self.dropped += len(spans)
        return why or ("the collector takes them too slowly" if full else None)

    def _log(self, why: str | None) -> None:
        if why is not None and not self._said_so:
            logger.warning("spans for %s are dropped: %s", self._address, why)
        elif why is None and self._said_so:
            logger.info("spans are sent again; so far, %d were dropped", self.dropped)
        self._said_so = why is not None
