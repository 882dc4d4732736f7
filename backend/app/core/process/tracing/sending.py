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
"""The capacity of the queue, in spans. When the queue is full, further spans are dropped."""

MAX_SENT = 512
"""The number of spans in one request. Only a larger group of spans exceeds it."""

SEND_INTERVAL = 1.0
"""Seconds after which queued spans are sent, unless there are enough for a request earlier."""

REQUEST_TIMEOUT = 5.0
"""Timeout of a request to the collector, including retries, in seconds."""

STOP_TIMEOUT = 3.0
"""Seconds that the process waits for the collector at shutdown."""


class Exporter(Protocol):
    """Sends spans to a collector."""

    def send(self, spans: Sequence[Span]) -> str | None:
        """Send spans. Return None, or the reason why they could not be sent. The call may block."""

    def shut_down(self) -> None:
        """Interrupt a :meth:`send` in progress as soon as possible."""


class SpanSender:
    """Sends spans to a collector in a separate thread, so that runs never wait for it.

    If the collector is down or too slow, spans are dropped and counted. The first loss is logged,
    and so is the recovery.

    Args:
        exporter: sends the spans.
        address: the collector's address, for the log.

    Attributes:
        dropped: the number of spans that were dropped.
    """

    def __init__(self, exporter: Exporter, address: str) -> None:
        self.dropped = 0
        self._exporter = exporter
        self._address = address
        # a group is sent in one request, so that it is never lost in part
        self._groups: deque[list[Span]] = deque()
        self._waiting = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._given_up = False
        self._full = False
        self._dropping = False
        # a daemon thread, so that the process does not wait for a collector that does not answer
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def put(self, spans: Sequence[Span]) -> None:
        """Queue spans, or drop them if the queue is full. This neither blocks nor fails."""
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
        """Send the spans in the queue and end the thread. Spans not sent in time are dropped.

        Args:
            within: the time limit, in seconds.
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
            logger.warning("%d spans were not sent to %s", self.dropped, self._address)

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
        """Send spans. Return why they, or any others since the last call, were dropped, or None."""
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
        return why or ("the collector is too slow" if full else None)

    def _log(self, why: str | None) -> None:
        if why is not None and not self._dropping:
            logger.warning("dropping the spans for %s: %s", self._address, why)
        elif why is None and self._dropping:
            logger.info("spans are being sent again; %d have been dropped so far", self.dropped)
        self._dropping = why is not None
