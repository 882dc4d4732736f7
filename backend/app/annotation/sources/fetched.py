"""Downloads a bulk file and reads it in a child process."""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from app.annotation.sources.answers import FileRead
from app.annotation.sources.declaration import BulkFile
from app.annotation.upstream import BadAnswer, Download
from app.annotation.upstream.bulk_files.messages import Done
from app.annotation.upstream.bulk_files.process import UnreadableFile, read_in_child

logger = logging.getLogger(__name__)


class Fetched(Protocol):
    """See :meth:`~app.annotation.sources.base.FileSource.fetched`."""

    async def __call__(self, *, again: bool) -> list[Download]:
        """Return the downloaded files, or download them again."""
        ...


async def read_fetched(
    fetched: Fetched,
    file: BulkFile,
    request: Any,
    *,
    of: Any,
    read: Callable[[Sequence[FileRead], str | None], None],
) -> AsyncGenerator[list[Any], None]:
    """Download a bulk file and read it. Download an unreadable copy once more.

    Args:
        fetched: the function that returns the downloaded files.
        file: the file to download and its reader.
        request: the request for the reader. It must be serializable as JSON.
        of: the type of the reader's elements.
        read: called after the last list with the files and the release that the reader named.

    Raises:
        BadAnswer: the file cannot be read.
        Wait: the file cannot be downloaded now.
    """
    for again in (False, True):
        downloads = await fetched(again=again)
        done: list[Done] = []
        given = False
        paths = [download.path for download in downloads]
        try:
            reading = read_in_child(file.reader, paths, request, of=of, done=done.append)
            async with aclosing(reading) as parts:
                async for part in parts:
                    given = True
                    yield part
        except UnreadableFile as error:
            for download in downloads:
                await download.discard()
            names = " and ".join(file.paths)
            if given or again:
                raise BadAnswer(f"{names} cannot be read: {error}") from error
            logger.warning("%s cannot be read (%s); downloading it again", names, error)
        else:
            counted = zip(downloads, done[0].files, strict=True)
            read(
                [FileRead(each, n.digest, n.rows, n.genes) for each, n in counted],
                done[0].release,
            )
            return
