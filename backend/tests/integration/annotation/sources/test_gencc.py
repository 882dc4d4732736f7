from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from app.annotation.settings import Settings
from app.annotation.sources import build
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import FileSource, Source
from app.core.errors import Wait
from app.core.redis.rate_limits import RateLimiter
from sandbox import Options, Sandbox


async def answers(source: Source, genes: list[Gene]) -> dict[int, Answer]:
    assert isinstance(source, FileSource)
    async with aclosing(source.bulk(genes)) as parts:
        return {each.gene_id: each async for part in parts for each in part}


async def test_genes_with_submissions_are_found(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    gencc = source("gencc")
    found = await answers(gencc, genes)

    absent = {each.gene_id for each in found.values() if each.state == "absent"}
    # the sandbox has no row of the last 3 of each 10 genes; ids count from 1
    assert absent == {gene.id for gene in genes if (gene.id - 1) % 10 >= 7}
    data = [each.data for each in found.values() if each.data]
    assert len(data) == len(genes) - len(absent)
    assert not any(each["unknown_terms"] for each in data)
    assert sum(each["superseded"] for each in data) == 15


@pytest.fixture
async def limited(
    tmp_path: Path, limiter: RateLimiter, http: httpx.AsyncClient
) -> AsyncIterator[tuple[Callable[[], Source], Path]]:
    cache = tmp_path / "cache"
    with Sandbox(Options(genes=20, cache_dir=tmp_path / "sandbox")) as sandbox:
        addresses = {name.lower(): value for name, value in sandbox.settings.items()}
        settings = Settings(_env_file=None, cache_dir=cache, **addresses)  # type: ignore[call-arg]
        yield lambda: build("gencc", settings, limiter, http), cache


async def test_thirty_runs_a_day_stay_within_20_downloads(
    limited: tuple[Callable[[], Source], Path], genes: list[Gene]
) -> None:
    source, cache = limited
    for _ in range(30):
        gencc = source()
        assert isinstance(gencc, FileSource)
        await gencc.current_file()
        (download,) = await gencc.fetched()
    assert download.path.exists()

    for _ in range(19):
        await download.discard()
        await source().fetch()  # type: ignore[attr-defined]
    await download.discard()
    with pytest.raises(Wait):
        await source().fetch()  # type: ignore[attr-defined]
    assert not list(cache.rglob("*.part"))
