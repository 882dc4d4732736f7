"""The checks of channels: their receivers can be reached. Nothing is sent to anybody."""

import asyncio
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urlsplit

from app.core.checks import (
    Check,
    Context,
    Finding,
    by_time,
    check,
    failed,
    is_timeout,
    ok,
    refused,
    skipped,
)
from app.core.errors import EDIT_SETTINGS, UserError
from app.core.text.words import some

if TYPE_CHECKING:
    from app.core.notify.channels.settings import ChannelSettings


class _Trouble(NamedTuple):
    """Why a host cannot be connected to."""

    found: str
    late: bool = False


def _settings(context: Context) -> "ChannelSettings":
    return cast("ChannelSettings", context.settings)


@check(
    "notifications.addresses",
    "the hosts of webhooks and of the ping can be reached",
    symptom="Messages do not arrive, and the log says `is not in the public internet` or that a"
    " name cannot be resolved.",
    why="A webhook delivers nothing if its host cannot be resolved or reached, or has a private"
    " address and NOTIFY_ALLOW_PRIVATE does not allow that.",
    needs=("config.valid",),
    remedy=EDIT_SETTINGS,
)
async def addresses(context: Context) -> Finding:
    """Resolve each host and connect to it, unless a proxy would do so. Send no request."""
    settings = _settings(context)
    urls = [target.url for target in settings.webhooks]
    urls += [settings.ping_url.get_secret_value()] if settings.ping_url is not None else []
    if not urls:
        return ok("there are no webhooks and no ping")
    if context.offline:
        return skipped("nothing is asked outside of this installation")
    places = {(parts.hostname or "", parts.port, parts.scheme) for parts in map(urlsplit, urls)}
    troubles = await asyncio.gather(*(_connect(context, *place) for place in sorted(places)))
    found = [trouble for trouble in troubles if trouble is not None]
    if not found:
        hosts = sorted({host for host, _, _ in places})
        return ok(f"{some(hosts)} can be reached")
    problem = failed(
        "a host of a webhook or of the ping cannot be reached",
        required="a host whose name can be resolved, in the public internet or allowed by"
        " NOTIFY_ALLOW_PRIVATE, and no firewall before it",
        found="; ".join(trouble.found for trouble in found),
    )
    return by_time(problem) if all(trouble.late for trouble in found) else problem


async def _connect(context: Context, host: str, port: int | None, scheme: str) -> _Trouble | None:
    from app.core.notify.channels import outbound
    from app.core.process.network import goes_through_proxy

    if goes_through_proxy(f"{scheme}://{host}"):
        return None
    number = port or (443 if scheme == "https" else 80)
    try:
        async with asyncio.timeout(context.answer_timeout):
            found = await outbound.resolve(host, number)
            usable = outbound.allowed(
                found,
                encrypted=scheme == "https",
                allow_private=_settings(context).notify_allow_private,
            )
            if not usable:
                return _Trouble(f"{host} has the address {found[0]}, which is not public")
            _, writer = await asyncio.open_connection(usable[0], number)
            writer.close()
    except OSError as error:
        return _Trouble(f"{host}: {error or 'no answer'}", late=is_timeout(error))
    return None


@check(
    "notifications.smtp",
    "the server in SMTP_URL answers, and accepts the user and the password",
    symptom="E-mail does not arrive, and the log names the SMTP server.",
    why="No e-mail is sent if the server cannot be reached, has no TLS, or rejects the user.",
    needs=("config.valid", "config.network"),
    remedy=EDIT_SETTINGS,
)
async def smtp(context: Context) -> Finding:
    """Connect, start TLS and log in. Send no message."""
    settings = _settings(context)
    if (server := settings.smtp_server) is None:
        return ok("there is no e-mail")
    if context.offline:
        return skipped("nothing is asked outside of this installation")
    from app.core.notify.channels.mail import Mail
    from app.core.notify.message import NotDelivered

    mail = Mail(server, settings.email_from, settings.email_to)
    try:
        await mail.log_in(within=context.answer_timeout)
    except NotDelivered as error:
        problem = failed(
            f"{server} cannot be used for e-mail",
            required="an SMTP server with TLS that accepts the user and the password in SMTP_URL",
            found=error.reason,
        )
        return by_time(problem) if is_timeout(error) else problem
    return ok(f"{server} answers" + (" and accepts the user" if server.user else ""))


@check(
    "notifications.apprise",
    "Apprise is installed if it is configured",
    symptom="The API and the workers do not start: `NOTIFY_APPRISE_URLS is set, and Apprise is not"
    " installed`.",
    why="NOTIFY_APPRISE_URLS needs the packages of requirements/apprise.txt.",
    needs=("config.valid",),
    remedy="sh requirements/install.sh apprise",
)
async def apprise(context: Context) -> Finding:
    """Check that the package is installed."""
    if not _settings(context).apprise_urls:
        return ok("Apprise is not configured")
    from app.core.notify.channels.through_apprise import require_apprise

    try:
        require_apprise()
    except UserError as error:
        return refused(error)
    return ok("Apprise is installed")


CHECKS: tuple[Check, ...] = (addresses, smtp, apprise)
