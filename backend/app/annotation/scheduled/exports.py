"""Schedules that export a table into a folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.export.files import ENDINGS, write_file
from app.annotation.data.export.planning import ExportRequest, format_of, plan
from app.core.schedules import writing
from app.core.schedules.actions import Action, parse
from app.core.schedules.files import FolderOptions
from app.core.schedules.work import TickWork

_Names = list[str]


class ExportOptions(FolderOptions):
    """The options of a scheduled export: those of a single export, and the folder."""

    format: str = "tsv"
    """The format, which is also the extension of the file."""

    sources: _Names | None = None
    """The sources to export; by default, all."""

    fields: _Names | None = None
    """The fields to export; by default, all fields of the sources."""

    list: str | None = None
    """The name of a gene list. Only the genes that are on it at the tick are exported."""

    where: _Names = Field([])
    """Conditions. Only genes that satisfy all of them are exported."""

    long: str | None = None
    """A list or a map of which each entry becomes a row. Not together with sources or fields."""

    def export_request(self) -> ExportRequest:
        """Return the request for an export."""
        return ExportRequest(
            format=self.format,
            sources=self.sources,
            fields=self.fields,
            genes=self.list,
            where=self.where,
            long=self.long,
        )


def export_action(outside: Sequence[Path]) -> Action:
    """Return the action that exports a table.

    Args:
        outside: the folders in which exports are not allowed.
    """

    async def check(connection: AsyncConnection, options: Mapping[str, Any]) -> dict[str, Any]:
        export_request = parse(ExportOptions, options)
        await writing.check_folder(export_request, outside)
        await plan(connection, export_request.export_request())
        return export_request.model_dump(exclude_none=True)

    async def perform(work: TickWork) -> None:
        export_request = parse(ExportOptions, work.options)
        await writing.write_file(
            work,
            export_request,
            lambda file: write_file(work.db, export_request.export_request(), file),
            ending=format_of(export_request.format).name,
            endings=ENDINGS,
            outside=outside,
        )

    return Action(check, perform)
