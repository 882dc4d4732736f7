import asyncio
import json
import time

import httpx

from app.core.notify.channels import forms, signature
from app.core.notify.channels.outbound import FAILURES, explain
from app.core.notify.channels.targets import Target
from app.core.notify.message import Message, NotDelivered
from app.core.process.redaction import redact
from app.core.text.http_headers import retry_after
from app.core.text.printable import in_one_line
from app.core.text.words import shortened

ATTEMPT_TIMEOUT = 30.0
"""The timeout of one attempt, in seconds."""

MAX_RETRY_AFTER = 86_400.0
"""Seconds. A longer ``Retry-After`` is shortened to this."""

MAX_ANSWER = 2_048
"""Bytes of a response that are read."""

_MAX_EXCERPT = 150

_NOT_PERMANENT = {
    httpx.codes.PROXY_AUTHENTICATION_REQUIRED,
    httpx.codes.REQUEST_TIMEOUT,
    httpx.codes.TOO_EARLY,
    httpx.codes.TOO_MANY_REQUESTS,
}
"""Client errors after which another attempt may succeed."""


class Webhook:
    """Sends messages to an address by HTTP, signed as in Standard Webhooks.

    Args:
        name: the name of the channel.
        target: the address and the form of its messages.
        http: a client from :func:`~app.core.notify.channels.outbound.new_client`, which is closed
            at the end.
        keys: the keys that sign the messages.
    """

    def __init__(
        self, name: str, target: Target, http: httpx.AsyncClient, *, keys: tuple[bytes, ...] = ()
    ) -> None:
        self.name = name
        self._target = target
        self._keys = keys
        self._http = http

    async def send(self, message: Message) -> None:
        """Deliver a message. See :class:`~app.core.notify.message.Channel`."""
        content = json.dumps(
            forms.body(self._target.form, message), ensure_ascii=False, separators=(",", ":")
        ).encode(errors="replace")
        headers = signature.headers(self._keys, message.id, int(time.time()), content)
        # no compression, so that a small response cannot expand to a large one
        headers |= {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(ATTEMPT_TIMEOUT),
                self._http.stream(
                    "POST", self._target.url, content=content, headers=headers
                ) as response,
            ):
                answer = await _start(response)
        except FAILURES as error:
            raise NotDelivered(explain(error, self._target.url)) from error
        if not response.is_success:
            raise self._refusal(response, answer)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _refusal(self, response: httpx.Response, answer: str) -> NotDelivered:
        status = response.status_code
        reason = f"{self._target.host} answered {status}{f': {answer}' if answer else ''}"
        if response.is_redirect:
            reason = f"{self._target.host} answered {status}: it has moved, and redirects are not"
            reason += " followed; set the new address"
        elif status == httpx.codes.GONE:
            reason += "; the address no longer exists, set another one"
        return NotDelivered(
            reason,
            permanent=response.is_client_error and status not in _NOT_PERMANENT,
            retry_after=retry_after(response.headers.get("Retry-After"), MAX_RETRY_AFTER),
        )


async def _start(response: httpx.Response) -> str:
    """Return the beginning of a response's text on one line."""
    body = b""
    async for part in response.aiter_raw():
        body += part
        if len(body) >= MAX_ANSWER:
            break
    text = redact(body[:MAX_ANSWER].decode("utf-8", "replace"))
    return shortened(in_one_line(text), _MAX_EXCERPT)
