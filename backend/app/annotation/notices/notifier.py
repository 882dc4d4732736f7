"""Assembles the notifier."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from app.annotation.notices.outages import ASKED, outage_watch
from app.annotation.notices.releases import describe_arrival
from app.annotation.notices.schedules import schedule_watch
from app.annotation.notices.staleness import stale_watch
from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.core.notify.channels import channels
from app.core.notify.message import Channel
from app.core.notify.notice import CommandOf
from app.core.notify.notifier import Notifier
from app.core.notify.rules import Rules
from app.core.runs.events import Event


def start_notifier(settings: Settings, stack: AsyncExitStack, command: CommandOf) -> None:
    """Start the notifier, if a channel is configured.

    Args:
        settings: the settings of the channels and of the rules.
        stack: the exit stack that stops the notifier.
        command: returns the command to type for a step.

    Raises:
        UserError: a channel cannot be used.
    """
    configured = channels(settings)
    if configured:
        notifier = new_notifier(settings, configured, command)
        notifier.start()
        stack.push_async_callback(notifier.stop)


def new_notifier(settings: Settings, carriers: Sequence[Channel], command: CommandOf) -> Notifier:
    """Return the notifier. The caller starts it.

    Args:
        settings: the settings of the channels and of the rules.
        carriers: the channels. The notifier closes them.
        command: returns the command to type for a step.
    """
    titles = {name: source.info.title for name, source in SOURCES.items()}
    freshness = {
        name: SOURCES[name].info.freshness.total_seconds() for name in settings.enabled_sources
    }
    return Notifier(
        settings.database_url.get_secret_value(),
        carriers,
        Rules.of(settings),
        command=command,
        watches=(
            stale_watch(freshness, titles),
            schedule_watch(),
            outage_watch(ASKED, titles, settings.notify_down_after),
        ),
        describe={Event.RELEASE_ARRIVED: describe_arrival},
    )
