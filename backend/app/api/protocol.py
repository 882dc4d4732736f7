import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import (
    STATUS_PHRASES,
    H11Protocol,
    RequestResponseCycle,
)

from app.api.door import Door
from app.api.errors import refuse


def guarded(door: Door, timeout: float) -> type[H11Protocol]:
    """Return HTTP as the API speaks it, for ``uvicorn.Config(http=...)``.

    Args:
        door: of the connections.
        timeout: seconds that a client has to send a whole request, and to read some of an answer.
    """
    return type("HTTP", (GuardedProtocol,), {"door": door, "timeout": timeout})


class GuardedProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, with an end to waiting for a client.

    uvicorn 0.54 waits for ever for the end of a header or a body, and for a client to read its
    answer; its ``limit_concurrency`` looks only at requests whose header has arrived.
    """

    door: ClassVar[Door]
    timeout: ClassVar[float]

    # uvicorn declares it otherwise, and has None here until the first request
    cycle: RequestResponseCycle | None  # type: ignore[assignment]
    _deadline: asyncio.TimerHandle | None = None
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio."""
        super().connection_made(transport)
        if self.door.enter(self):
            self._look()
        else:
            self._refuse(503, "the API has no connection left", {"Retry-After": "5"})

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._wait_no_more()
        self.door.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """See uvicorn."""
        super().on_response_complete()
        self._look()

    def timeout_keep_alive_handler(self) -> None:
        """See uvicorn; the client may not have read its answer yet."""
        super().timeout_keep_alive_handler()
        self._look()

    def pause_writing(self) -> None:
        """See asyncio."""
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        """See asyncio."""
        super().resume_writing()
        self._wait_no_more()
        self._look()

    def abort(self) -> None:
        """Close the connection at once."""
        self._wait_no_more()
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the form of all errors."""
        del msg
        self._refuse(400, "this is no HTTP request")

    def _should_upgrade(self) -> bool:
        """Pass over a wish for another protocol, as HTTP allows; uvicorn logs two lines for it."""
        return False

    @property
    def _under_way(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _look(self) -> None:
        """Find out whose turn it is, and for how long."""
        if self.transport.is_closing() or self.flow.write_paused:
            self.door.waits(self)
            if self._deadline is None or self.flow.write_paused:
                self._wait_for_reading()
            return
        whole = self.conn.their_state in {h11.DONE, h11.MUST_CLOSE}
        if whole and self._under_way:
            self._wait_no_more()
            self.door.serves(self)
            return
        self.door.waits(self)
        if self._deadline is None and self.timeout_keep_alive_task is None:
            self._wait(self._too_slow)

    def _wait(self, then: Callable[[], None]) -> None:
        self._wait_no_more()
        self._deadline = self.loop.call_later(self.timeout, then)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if self.cycle is None and not self.conn.trailing_data[0]:
            # a browser connects before it knows whether it has something to ask
            self.abort()
            return
        self._refuse(408, f"the request did not arrive within {self.timeout:g} s")
        self.door.put_out(self)

    def _wait_for_reading(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._wait(self._has_read)

    def _has_read(self) -> None:
        if self.transport.get_write_buffer_size() < self._unread:
            self._wait_for_reading()
        else:
            self.door.put_out(self)

    def _refuse(self, status: int, error: str, headers: Mapping[str, str] | None = None) -> None:
        """Answer without the application, unless it has begun to, and close the connection."""
        if self.cycle is not None and self._under_way:
            # what the application still says would come after the end
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            answer = refuse(status, error, headers=headers)
            head = h11.Response(
                status_code=status,
                headers=[*answer.raw_headers, (b"connection", b"close")],
                reason=STATUS_PHRASES[status],
            )
            for event in (head, h11.Data(bytes(answer.body)), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self._look()
