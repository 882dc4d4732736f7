import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from app.annotation.sources.base import FileRead
from app.annotation.upstream import BadAnswer, Upstream
from app.annotation.upstream.bulk_files.messages import Done
from app.annotation.upstream.bulk_files.process import UnreadableFile, read_in_child

logger = logging.getLogger(__name__)


async def read_fetched(
    files: Upstream, name: str, reader: str, asked: Any, *, of: Any, read: list[FileRead]
) -> AsyncGenerator[list[Any], None]:
    """Fetch a bulk file and read it; a copy that cannot be read is fetched anew, once.

    Args:
        files: whose file it is.
        name: below the host's address.
        reader: see `bulk_files.process.read_in_child`, as for the next two.
        asked: what the reader is asked for.
        of: the type of what it gives.
        read: the file is added, when all was given.

    Raises:
        BadAnswer: it cannot be read.
        Wait: it cannot be had now.
    """
    for again in (True, False):
        file = await files.download(name)
        done: list[Done] = []
        given = False
        try:
            reading = read_in_child(reader, file.path, asked, of=of, done=done.append)
            async with aclosing(reading) as parts:
                async for part in parts:
                    given = True
                    yield part
        except UnreadableFile as error:
            await asyncio.to_thread(file.path.unlink, missing_ok=True)
            if given or not again:
                raise BadAnswer(f"{name} cannot be read: {error}") from error
            logger.warning("%s is of no use (%s), again", name, error)
        else:
            read += [
                FileRead(file.path, file.release, each.digest, each.rows, each.genes)
                for each in done
            ]
            return
