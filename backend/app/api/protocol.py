import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import (
    STATUS_PHRASES,
    H11Protocol,
    RequestResponseCycle,
)

from app.api.connections import ConnectionLimit
from app.api.errors import refuse


def limited_protocol(connection_limit: ConnectionLimit, timeout: float) -> type[H11Protocol]:
    """Return the HTTP protocol of the API, for ``uvicorn.Config(http=...)``.

    Args:
        connection_limit: the limit on the number of connections.
        timeout: seconds that a client has to send a complete request, or to read a part of a
            response.
    """
    attributes = {"connection_limit": connection_limit, "timeout": timeout}
    return type("HTTP", (LimitedProtocol,), attributes)


class LimitedProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with timeouts for clients.

    uvicorn 0.54 waits forever for the end of a header or a body, and for a client to read its
    response. Its ``limit_concurrency`` counts only requests whose header has arrived.
    """

    connection_limit: ClassVar[ConnectionLimit]
    timeout: ClassVar[float]

    # uvicorn declares another type, but sets None until the first request
    cycle: RequestResponseCycle | None  # type: ignore[assignment]
    _deadline: asyncio.TimerHandle | None = None
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio."""
        super().connection_made(transport)
        if self.connection_limit.admit(self):
            self._update()
        else:
            self._refuse(503, "the API has no connection left", {"Retry-After": "5"})

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._cancel_deadline()
        self.connection_limit.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        super().data_received(data)
        self._update()

    def on_response_complete(self) -> None:
        """See uvicorn."""
        super().on_response_complete()
        self._update()

    def timeout_keep_alive_handler(self) -> None:
        """See uvicorn. The client may not have read the response yet."""
        super().timeout_keep_alive_handler()
        self._update()

    def pause_writing(self) -> None:
        """See asyncio."""
        super().pause_writing()
        self._update()

    def resume_writing(self) -> None:
        """See asyncio."""
        super().resume_writing()
        self._cancel_deadline()
        self._update()

    def abort(self) -> None:
        """Close the connection at once."""
        self._cancel_deadline()
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Respond to a request that is not HTTP, in the form of all errors."""
        del msg
        self._refuse(400, "this is not an HTTP request")

    def _should_upgrade(self) -> bool:
        """Ignore protocol upgrades, for each of which uvicorn would log two lines."""
        return False

    @property
    def _is_executing(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _update(self) -> None:
        """Determine whether the connection waits for its client; set or cancel the deadline."""
        if self.transport.is_closing() or self.flow.write_paused:
            self.connection_limit.mark_waiting(self)
            if self._deadline is None or self.flow.write_paused:
                self._await_reading()
            return
        complete = self.conn.their_state in {h11.DONE, h11.MUST_CLOSE}
        if complete and self._is_executing:
            self._cancel_deadline()
            self.connection_limit.mark_busy(self)
            return
        self.connection_limit.mark_waiting(self)
        if self._deadline is None and self.timeout_keep_alive_task is None:
            self._set_deadline(self._time_out)

    def _set_deadline(self, then: Callable[[], None]) -> None:
        self._cancel_deadline()
        self._deadline = self.loop.call_later(self.timeout, then)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _time_out(self) -> None:
        if self.cycle is None and not self.conn.trailing_data[0]:
            # no response: browsers open connections in advance that they may never use
            self.abort()
            return
        self._refuse(408, f"the request did not arrive within {self.timeout:g} s")
        self.connection_limit.close(self)

    def _await_reading(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._set_deadline(self._check_reading)

    def _check_reading(self) -> None:
        if self.transport.get_write_buffer_size() < self._unread:
            self._await_reading()
        else:
            self.connection_limit.close(self)

    def _refuse(self, status: int, error: str, headers: Mapping[str, str] | None = None) -> None:
        """Respond instead of the application, unless it has begun to, and close the connection."""
        if self.cycle is not None and self._is_executing:
            # otherwise the application would write after the end of the response
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
        self._update()
