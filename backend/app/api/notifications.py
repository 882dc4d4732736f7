from dataclasses import asdict
from typing import Annotated

from fastapi import Query, Request

from app.api import routers
from app.api.errors import refusals
from app.api.services import ServicesDep
from app.api.strict_requests import IN_DIGITS
from app.core.notify import at_once, views
from app.core.text.field_docs import View
from app.db.bounds import MAX_ID


class Tried(View):
    """The outcome of a test message in one channel."""

    channel: str
    delivered: bool
    """Whether the receiver has accepted the message."""
    seconds: float
    """The duration of the delivery, in seconds."""
    reason: str
    """Why the message was not delivered; empty if it was."""


router = routers.admin_router("/notifications", "admin")


@router.get("", summary="List the notifications", response_description="A page of notifications")
async def list_notifications(
    services: ServicesDep,
    limit: Annotated[
        int,
        Query(ge=1, le=200, description="The maximum number of notifications on the page."),
        IN_DIGITS,
    ] = 50,
    before: Annotated[
        int | None,
        Query(ge=1, le=MAX_ID, description="Only notifications with smaller ids."),
        IN_DIGITS,
    ] = None,
) -> views.NotificationPage:
    """Return a page of the notifications with their deliveries, the newest first."""
    async with services.db.connect() as connection:
        return await views.list_notifications(connection, limit=limit, before=before)


@router.post(
    "/test",
    summary="Send a test message",
    response_description="The outcome in each channel",
    responses=refusals({409: "No channel is configured"}),
)
async def send_test(request: Request) -> list[Tried]:
    """Send a test message through every channel of this API at once, even in the quiet hours."""
    outcomes = await at_once.send_test(request.app.state.settings)
    return [Tried(**asdict(outcome)) for outcome in outcomes]
