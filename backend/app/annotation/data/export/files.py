"""Exports into a file, and writes its description next to it."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from app.annotation.data.export.describing import described
from app.annotation.data.export.formats import FORMATS
from app.annotation.data.export.order import Done
from app.annotation.data.export.planning import ExportRequest, Plan
from app.annotation.data.export.running import begin
from app.annotation.data.export.target import Target, targets

_DESCRIPTIONS = ("columns.tsv", "manifest.json", "citation.cff")

ENDINGS = (*FORMATS, *_DESCRIPTIONS)
"""The endings of all files that exports write."""

Progress = Callable[[int], AbstractContextManager[Callable[[int], None]]]
"""Called with the total number of genes. Returns a function to call with the number written."""


@dataclass(frozen=True, slots=True)
class Written:
    """A finished export in a file.

    Attributes:
        plan: the plan of the export.
        done: the numbers of genes and rows.
        beside: the files that describe the export.
    """

    plan: Plan
    done: Done
    beside: Sequence[Path]


def _silent(_genes: int) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda _done: None)


async def write_file(
    db: AsyncEngine, request: ExportRequest, output: Path, progress: Progress = _silent
) -> Written:
    """Export into a file. The file replaces an older one only when it is complete.

    Next to a text file, the data dictionary, the manifest and the citation are written. A process
    that dies leaves hidden files and a folder behind, whose names begin with a dot and the name of
    the file and end in ``.partial``.

    Args:
        db: the database.
        request: the request, whose format has been checked.
        output: the path of the file.
        progress: displays the progress.

    Raises:
        WrongUse, UserError: see :func:`~.planning.plan`.
        ExportFailed, ExportProcessDied: see :func:`~.process.exporting`; also if a file cannot be
            written.
    """
    text = FORMATS[request.format].is_text
    beside = _beside(output) if text else []
    with (
        targets(output, *beside) as (main, *others),
        # on the disk of the file itself
        tempfile.TemporaryDirectory(
            prefix=f".{output.name}.", suffix=".partial", dir=main.path.parent
        ) as folder,
    ):
        number = main.file.fileno()
        async with begin(db, request, output=number, folder=folder) as (planned, export):
            with progress(planned.total) as show:
                done = await export.finish(show)
        if text:
            _describe(planned, others)
        # flushing here leaves little to flush when the files are replaced
        await asyncio.to_thread(os.fsync, number)
    return Written(planned, done, beside)


def _beside(output: Path) -> list[Path]:
    return [output.with_suffix(f".{description}") for description in _DESCRIPTIONS]


def _describe(planned: Plan, beside: Sequence[Target]) -> None:
    table = planned.table
    parts = [
        described(table.columns, "tsv"),
        f"{table.manifest}\n".encode(),
        table.citation.encode(),
    ]
    for target, content in zip(beside, parts, strict=True):
        target.file.write(content)
