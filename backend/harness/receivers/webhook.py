import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.receivers.faults import Faults
from harness.receivers.server import Server
from services.process import LOOPBACK

STATUSES = ("400", "401", "403", "404", "408", "410", "429", "500", "502", "503", "504")

KINDS = (*STATUSES, "drop", "late", "slow")
"""The faults: a status; `drop` closes the connection without a reply; `late` accepts the message
and then closes the connection, so that the sender does not know that it arrived; `slow` never
replies."""

TOLERANCE = 300
"""The maximum difference between a timestamp and the clock, in seconds."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that arrived.

    Attributes:
        id: the header `webhook-id`.
        headers: the headers, with names in lower case.
        body: the parsed JSON.
        path: the path of the request.
        verified: whether the signature is valid, or None if the receiver has no secret.
    """

    id: str
    headers: Mapping[str, str]
    body: Any
    path: str
    verified: bool | None


class WebhookReceiver(Server):
    """Receives webhooks, and verifies their signature as Standard Webhooks 1.0 requires.

    Args:
        secret: `whsec_` and the secret in base64. The reply to an invalid signature is 401.
        tls: see :class:`Server`.
        retry_after: the header `Retry-After` of replies with 429 and 503.
    """

    def __init__(
        self,
        *,
        secret: str | None = None,
        tls: ssl.SSLContext | None = None,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(tls)
        self.secret = secret
        self.retry_after = retry_after
        self.location: str | None = None
        """The address to which every request is redirected with 307, or None."""
        self.received: list[Delivery] = []
        self.requests = 0
        self.faults = Faults(KINDS)

    @property
    def url(self) -> str:
        """The address, with a path that is secret, as with real services."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{LOOPBACK}:{self.port}/services/T0001/N0tToBeShownAnywhere"

    @property
    def ids(self) -> list[str]:
        """The ids of the messages that arrived, in order, with repetitions."""
        return [message.id for message in self.received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request_line, *lines = head.strip().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests += 1
            status = await self._answer(request_line, headers, body)
            if status is None:
                return
            more = f"Retry-After: {self.retry_after}\r\n" if self.retry_after else ""
            more += f"Location: {self.location}\r\n" if self.location else ""
            writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 2\r\n{more}\r\nok".encode())
            await writer.drain()

    async def _answer(self, request_line: str, headers: dict[str, str], body: bytes) -> int | None:
        fault = self.faults.take()
        if fault == "slow":
            await asyncio.Event().wait()
        if fault == "drop":
            return None
        if fault is not None and fault.isdigit():
            return int(fault)
        if self.location is not None:
            return 307
        method, path, _ = request_line.split(" ")
        if method == "GET":  # a ping
            self.received.append(Delivery("", headers, None, path, None))
            return 200
        verified = None if self.secret is None else self._is_signed(headers, body)
        if verified is False:
            return 401
        self.received.append(
            Delivery(headers.get("webhook-id", ""), headers, json.loads(body), path, verified)
        )
        return None if fault == "late" else 200

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        assert self.secret is not None
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        sent = headers.get("webhook-timestamp", "0")
        if abs(time.time() - int(sent)) > TOLERANCE:
            return False
        signed = f"{headers.get('webhook-id')}.{sent}.".encode() + body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        signatures = headers.get("webhook-signature", "").split(" ")
        return any(hmac.compare_digest(f"v1,{expected}", signature) for signature in signatures)
