"""The notifications, their delivery, and a test of the channels."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api.services import ServicesDep
from app.core.notify import at_once
from app.core.notify.channels.settings import ChannelSettings
from app.core.notify.views import list_notifications
from app.db.bounds import MAX_ID
from app.web.rendering import page

PAGE_SIZE = 50


def notifications_router(settings: ChannelSettings) -> APIRouter:
    """Return the pages of the notifications.

    Args:
        settings: the settings of the channels.
    """
    router = APIRouter()

    @router.get("/notifications")
    async def show_notifications(
        request: Request,
        services: ServicesDep,
        before: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    ) -> Response:
        """Show the notifications, the newest first."""
        async with services.reads.connect() as connection:
            found = await list_notifications(connection, limit=PAGE_SIZE, before=before)
        return page(
            request, "notifications.html", found=found, channels=settings.channel_names, tried=None
        )

    @router.post("/notifications/test")
    async def send_test(request: Request, services: ServicesDep) -> Response:
        """Send a test message through every channel, and show the results."""
        tried = await at_once.send_test(settings)
        async with services.reads.connect() as connection:
            found = await list_notifications(connection, limit=PAGE_SIZE)
        return page(
            request, "notifications.html", found=found, channels=settings.channel_names, tried=tried
        )

    return router
