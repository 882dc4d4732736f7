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
"""Seconds for one attempt."""

MAX_TEXT = 12_000
"""Characters of a text that are handed over. Apprise splits what a service does not take whole."""

_TYPES = {"info": "info", "warning": "warning", "critical": "failure"}
"""The word of Apprise for each severity."""

_MAX_TITLE = 200
_MAX_EXCERPT = 200


def require_apprise() -> None:
    """Check that Apprise is installed.

    Raises:
        UserError: it is not.
    """
    if find_spec("apprise") is None:
        raise UserError(
            "NOTIFY_APPRISE_URLS is set, and Apprise is not installed",
            allowed="the packages in requirements/apprise.txt",
            remedy="type `sh requirements/install.sh apprise`, or remove NOTIFY_APPRISE_URLS",
        )


class ThroughApprise:
    """Sends messages through Apprise, which knows more than a hundred services.

    Apprise resolves and connects by itself: its addresses are not checked.

    Args:
        name: of the channel.
        url: the address, in the form of Apprise.

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
            # the import of its services takes about a second
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
        """Apprise keeps nothing open."""

    def _load(self) -> Any:
        # it logs addresses; what matters is in its results
        logging.getLogger("apprise").propagate = False
        library = import_module("apprise")
        loaded = library.Apprise(asset=library.AppriseAsset(storage_mode="memory"))
        if not loaded.add(self._url):
            raise NotDelivered(
                f"Apprise does not know the address of {self.name}; it is described at"
                " https://appriseit.com",
                permanent=True,
            )
        return loaded

    def _why(self, found: Any) -> str:
        """Return what Apprise logged. It may name parts of the address, which are secret."""
        lines: Sequence[str] = [
            str(getattr(entry, "message", entry))
            for service in found
            for attempt in service
            for entry in attempt
        ]
        said = redact(" ".join(lines), (self._url, *self._url.split("/")))
        text = in_one_line(said) or "the service did not take it"
        return shortened(f"Apprise: {text}", _MAX_EXCERPT)
