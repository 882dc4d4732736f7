import asyncio
import logging
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from app.core.errors import UserError
from app.core.notify.channels.forms import shown
from app.core.notify.message import Message, NotDelivered
from app.core.process.redaction import redact
from app.core.text.printable import in_one_line
from app.core.text.words import shortened

ATTEMPT_TIMEOUT = 45.0
"""The timeout of one attempt, in seconds."""

MAX_TEXT = 12_000
"""Characters of a text that are passed on. Apprise splits texts that are too long for a service."""

_TYPES = {"info": "info", "warning": "warning", "critical": "failure"}
"""Apprise's notification type for each severity."""

_MAX_TITLE = 200
_MAX_EXCERPT = 200


def require_apprise() -> None:
    """Check that Apprise is installed.

    Raises:
        UserError: it is not installed.
    """
    if find_spec("apprise") is None:
        raise UserError(
            "NOTIFY_APPRISE_URLS is set, but Apprise is not installed",
            allowed="the packages in requirements/apprise.txt",
            remedy="type `sh requirements/install.sh apprise`, or remove NOTIFY_APPRISE_URLS",
        )


class ThroughApprise:
    """Sends messages through Apprise, which supports more than a hundred services.

    Apprise resolves names and connects by itself, so its addresses are not checked.

    Args:
        name: the name of the channel.
        url: the address, in Apprise's form.

    Raises:
        UserError: Apprise is not installed.
    """

    def __init__(self, name: str, url: str) -> None:
        require_apprise()
        self.name = name
        self._url = url
        self._apprise: Any = None

    async def send(self, message: Message) -> None:
        """Deliver a message. See :class:`~app.core.notify.message.Channel`."""
        if self._apprise is None:
            # in a thread, because importing Apprise's services takes about a second
            self._apprise = await asyncio.to_thread(self._load)
        message = shown(message)
        found = await self._apprise.async_notify(
            title=shortened(message.title, _MAX_TITLE),
            body=shortened(message.text, MAX_TEXT),
            notify_type=_TYPES.get(message.severity, "info"),
            body_format="text",
            timeout=ATTEMPT_TIMEOUT,
        )
        if not found:
            raise NotDelivered(self._why(found))

    async def close(self) -> None:
        """Do nothing, because Apprise keeps no connection open."""

    def _load(self) -> Any:
        # Apprise logs addresses, which are secrets; its results contain what matters
        logging.getLogger("apprise").propagate = False
        library = import_module("apprise")
        loaded = library.Apprise(asset=library.AppriseAsset(storage_mode="memory"))
        if not loaded.add(self._url):
            raise NotDelivered(
                f"Apprise does not recognize the address of {self.name}; for the valid forms, see"
                " https://appriseit.com",
                permanent=True,
            )
        return loaded

    def _why(self, found: Any) -> str:
        """Return the messages that Apprise logged, without parts of the secret address."""
        lines: Sequence[str] = [
            str(getattr(entry, "message", entry))
            for service in found
            for attempt in service
            for entry in attempt
        ]
        logged = redact(" ".join(lines), (self._url, *self._url.split("/")))
        text = in_one_line(logged) or "the service did not accept the message"
        return shortened(f"Apprise: {text}", _MAX_EXCERPT)
