from typing import Annotated

from fastapi import Query

from app.api import routers
from app.api.services import ServicesDep
from app.api.strict_requests import IN_DIGITS
from app.core.notify import views
from app.core.runs.views import LARGEST_ID

router = routers.admin_router("/notifications", "admin")


@router.get("", summary="List the notifications", response_description="A page of notifications")
async def list_notifications(
    services: ServicesDep,
    limit: Annotated[
        int, Query(ge=1, le=200, description="The most notifications on the page."), IN_DIGITS
    ] = 50,
    before: Annotated[
        int | None,
        Query(ge=1, le=LARGEST_ID, description="Only notifications with smaller ids."),
        IN_DIGITS,
    ] = None,
) -> views.NotificationPage:
    """Return a page of what people are told and how far it was delivered, the newest first."""
    async with services.db.connect() as connection:
        return await views.list_notifications(connection, limit=limit, before=before)
