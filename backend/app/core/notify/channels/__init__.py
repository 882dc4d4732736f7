"""Channels, which deliver messages to people.

`webhook`, `mail` and `through_apprise` are the channels, `settings` decides which of them are used,
and `forms` builds the content of webhooks. `outbound` connects only to addresses that `addresses`
allows. :func:`channels` opens the configured channels, and imports only the packages that they use.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.notify.channels.settings import ChannelFields
    from app.core.notify.message import Channel

# ruff: noqa: PLC0415 - httpx, aiosmtplib and Apprise are imported if they are needed

__all__ = ["channels", "checks", "outbound", "settings"]
"""The names and modules that others may use."""


def channels(settings: "ChannelFields") -> "list[Channel]":
    """Return the configured channels, which the caller must close.

    Their names are those in `settings.channel_names`, in the same order.

    Raises:
        UserError: the environment names a proxy or certificates that cannot be used, or a package
            is missing.
    """
    found: list[Channel] = []
    names = iter(settings.channel_names)
    if targets := settings.webhooks:
        from app.core.notify.channels.outbound import new_client
        from app.core.notify.channels.webhook import Webhook

        private, keys = settings.notify_allow_private, settings.webhook_keys
        found += [
            Webhook(next(names), target, new_client(allow_private=private), keys=keys)
            for target in targets
        ]
    if (server := settings.smtp_server) is not None:
        from app.core.notify.channels.mail import Mail

        next(names)
        found.append(Mail(server, settings.email_from, settings.email_to))
    if urls := settings.apprise_urls:
        from app.core.notify.channels.through_apprise import ThroughApprise

        found += [ThroughApprise(next(names), url) for url in urls]
    return found
