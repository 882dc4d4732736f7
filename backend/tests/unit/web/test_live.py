import asyncio
from collections.abc import AsyncIterator

import pytest

from app.core.errors import NotFound
from app.web.live import MAX_PARTS, Live
from harness.timing import WAIT, limit


class Page:
    """A changing part that counts its renderings."""

    def __init__(self) -> None:
        self.text = "first"
        self.rendered = 0
        self.fails: Exception | None = None

    async def render(self) -> str:
        self.rendered += 1
        if self.fails:
            raise self.fails
        return self.text


@pytest.fixture
async def live() -> AsyncIterator[Live]:
    live = Live(interval=0.001)
    yield live
    await live.close()


async def test_a_watcher_gets_the_present_state_and_then_each_change(live) -> None:
    page = Page()
    watching = live.watch("page", page.render)

    assert await anext(watching) == "first"
    page.text = "second"
    assert await anext(watching) == "second"
    await watching.aclose()


async def test_all_watchers_share_one_rendering(live) -> None:
    page = Page()
    live = Live(interval=3_600)  # one poll
    watching = [live.watch("page", page.render) for _ in range(200)]

    assert await asyncio.gather(*map(anext, watching)) == ["first"] * 200
    assert page.rendered == 1
    await live.close()


async def test_the_number_of_watched_parts_is_limited(live) -> None:
    page = Page()
    watching = [live.watch(f"page {number}", page.render) for number in range(MAX_PARTS)]
    await asyncio.gather(*map(anext, watching))

    assert [text async for text in live.watch("one more", page.render)] == []
    shared = live.watch("page 0", page.render)
    assert await anext(shared) == "first"
    await watching[1].aclose()
    room = live.watch("one more", page.render)
    assert await anext(room) == "first"
    for each in (*watching, shared, room):
        await each.aclose()


async def test_nothing_is_rendered_without_watchers(live) -> None:
    page = Page()
    watching = live.watch("page", page.render)
    await anext(watching)
    await watching.aclose()
    other = Page()
    watching = live.watch("other", other.render)
    await anext(watching)
    seen = page.rendered

    while other.rendered < 20:
        await asyncio.sleep(0)
    assert page.rendered == seen
    await watching.aclose()


async def test_after_a_failed_poll_the_text_stays_and_polling_continues(live, caplog) -> None:
    page = Page()
    watching = live.watch("page", page.render)
    await anext(watching)
    page.fails = OSError("no answer")
    page.text = "second"
    before = page.rendered
    while page.rendered < before + 3:
        await asyncio.sleep(0)
    page.fails = None

    assert await anext(watching) == "second"
    assert caplog.text.count("a live page could not be rendered") == 1
    await watching.aclose()


async def test_a_stream_ends_when_its_object_no_longer_exists(live, caplog) -> None:
    page = Page()
    watching = live.watch("page", page.render)
    await anext(watching)
    page.fails = NotFound("there is no run 1")

    async with limit(WAIT):
        assert await anext(watching, "the end") == "the end"
    assert not caplog.text


async def test_the_stop_ends_every_stream(live) -> None:
    page = Page()
    watching = live.watch("page", page.render)
    await anext(watching)
    waiting = asyncio.ensure_future(anext(watching, "the end"))
    await asyncio.sleep(0)

    live.stop()

    assert await waiting == "the end"
    assert [text async for text in live.watch("page", page.render)] == []
