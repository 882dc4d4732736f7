"""Retention knows all files that the sources download and read."""

from collections.abc import Callable
from contextlib import aclosing

import pytest

from app.annotation.data.file_retention import list_unused
from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.annotation.sources.answers import Gene
from app.annotation.sources.base import FileSource, Source
from app.annotation.sources.hgnc import Hgnc
from app.annotation.upstream import unused_files

NAMES = [name for name, source in SOURCES.items() if issubclass(source, FileSource)]


@pytest.mark.parametrize("name", NAMES)
async def test_no_file_that_a_source_has_downloaded_is_removed(
    name: str, source: Callable[[str], Source], genes: list[Gene], upstreams: Settings
) -> None:
    reads = source(name)
    assert isinstance(reads, FileSource)
    async with aclosing(reads.bulk(genes)) as answers:
        async for _ in answers:
            pass
    if isinstance(reads, Hgnc):
        await reads.withdrawn()
    at_once = upstreams.model_copy(update={"cache_days": 0})
    assert unused_files.folders(upstreams.cache_dir)
    assert list_unused(at_once) == []
    # files of another address count as files of a former address
    moved = {host.setting: "http://elsewhere" for host in reads.info.hosts}
    assert list_unused(at_once.model_copy(update=moved))
