import asyncio
import socket
import struct
from weakref import WeakValueDictionary

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_open: "WeakValueDictionary[tuple[object, ...], asyncio.Transport]" = WeakValueDictionary()


class Protocol(H11Protocol):
    """Uvicorn's protocol with a register of connections, because ASGI cannot abort a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Register the connection by its two endpoints."""
        super().connection_made(transport)
        ends = [transport.get_extra_info(name)[:2] for name in ("sockname", "peername")]
        _open[(*ends[0], *ends[1])] = transport


def _of(scope: Scope) -> asyncio.Transport | None:
    return _open.get((*scope["server"], *scope["client"]))


def without_length(body: bytes) -> ASGIApp:
    """Return an ASGI response in HTTP/1.0 that ends with the connection."""

    async def answer(scope: Scope, receive: Receive, _send: Send) -> None:
        transport = _of(scope)
        if transport is not None:
            transport.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + body)
            transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass

    return answer


async def reset(scope: Scope, receive: Receive, _send: Send) -> None:
    """Abort the connection with a TCP reset, as an ASGI response."""
    transport = _of(scope)
    if transport is not None:
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
