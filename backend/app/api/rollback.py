from typing import Annotated

from fastapi import Path
from pydantic import ConfigDict, Field, StrictBool

from app.annotation.data.rollback import RolledBack, roll_back
from app.annotation.data.snapshots import MAX_NOTE, MAX_WHO
from app.annotation.sources import SOURCES
from app.api import routers
from app.api.errors import refusals
from app.api.services import ServicesDep
from app.api.strict_requests import StrictBody

router = routers.admin_router("/sources", "admin")


class NewRollback(StrictBody):
    """Says to which moment a source is rolled back, who does it, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"to": "2026-03-31", "by": "Ada", "note": "a wrong release"}]
        },
    )

    to: str = Field(
        max_length=100,
        description="The time whose answers are restored: a day, a time with a"
        " zone, or the name of a snapshot.",
    )
    by: str = Field(
        max_length=MAX_WHO, description="The name of the person who rolls the source back."
    )
    note: str = Field("", max_length=MAX_NOTE, description="Why the source is rolled back.")
    dry_run: StrictBool = Field(default=False, description="Only return what would change.")


@router.post(
    "/{source}/rollback",
    summary="Roll back a source",
    response_description="What has changed, or would change",
    responses=refusals(
        {
            400: "The body is not JSON",
            404: "There is no such source",
            409: "An active run covers the source",
            413: "The body is larger than 64 KiB",
            422: "A field is unknown or missing, or `to` is neither a time nor a snapshot",
        }
    ),
)
async def roll_back_source(
    source: Annotated[str, Path(description="The name of a source.", examples=[[*SOURCES][-1]])],
    new: NewRollback,
    services: ServicesDep,
) -> RolledBack:
    """Restore the answers that a source had given until a past time.

    The replaced answers go into the history, so a rollback can be undone by another one. A gene
    that had no answer at that time becomes unknown.
    """
    async with services.db.begin() as connection:
        return await roll_back(
            connection, source, new.to, note=new.note, by=new.by, dry_run=new.dry_run
        )
