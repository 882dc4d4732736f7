"""The built site in Chromium, under a prefix and from a folder."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.integration.site.look import LAYOUT, SCHEMES, Watched, faults_of, watched
from tests.integration.site.reading import pages

pytestmark = pytest.mark.pages


@pytest.mark.timeout(300)
async def test_every_page_is_whole_readable_and_accessible(
    chromium: Browser, site: Path, served: str
) -> None:
    found = []
    async with watched(chromium, served) as watch:
        for name in pages(site):
            await watch.open(name)
            found += [f"{name}, {fault}" for fault in await faults_of(watch)]
    assert found == []


async def test_pages_work_from_a_folder(chromium: Browser, site: Path) -> None:
    """A page at each depth, with diagrams and without, as these differ in what they load."""
    different = {(name.count("/"), bool(page.diagrams)): name for name, page in pages(site).items()}
    found = []
    async with watched(chromium, f"{site.as_uri()}/", width=390) as watch:
        for name in different.values():
            await watch.open(name)
            faults = [*watch.faults(), *(await watch.page.evaluate(LAYOUT))]
            found += [f"{name}: {fault}" for fault in faults]
    assert found == []


async def test_every_page_can_be_read_without_scripts(
    chromium: Browser, site: Path, served: str
) -> None:
    async with watched(chromium, served, java_script_enabled=False) as watch:
        for name, said in pages(site).items():
            await watch.page.goto(served + name)
            await expect(watch.page.locator("h1")).to_be_visible()
            text = " ".join((await watch.page.locator("article").inner_text()).split())
            assert [
                words for block, words in said.blocks if block == "p" and words not in text
            ] == []


async def test_search_finds_a_setting_by_its_words(
    chromium: Browser, site: Path, served: str
) -> None:
    with_it = {
        name
        for name, page in pages(site).items()
        if any("ARQ_QUEUE_NAME" in words for _, words in page.blocks)
    }
    for address in (served, f"{site.as_uri()}/"):
        async with watched(chromium, address) as watch:
            await search(watch, address, with_it)


async def search(watch: Watched, address: str, with_it: set[str]) -> None:
    page = watch.page
    await watch.open("index.html")
    await page.get_by_placeholder("Search").press_sequentially("queue name")
    results = page.locator(".md-search-result__link")
    await expect(results.first).to_be_visible()
    links = await results.evaluate_all("links => links.map((link) => link.href)")
    there = [link for link in links if re.split("[?#]", link.removeprefix(address))[0] in with_it]
    assert there, links
    await results.nth(links.index(there[0])).click()
    await page.wait_for_url(there[0])
    await expect(page.locator("article").get_by_text("ARQ_QUEUE_NAME").first).to_be_visible()
    assert watch.faults() == []


async def test_a_page_follows_the_system_until_its_reader_chooses_light_or_dark(
    chromium: Browser, served: str
) -> None:
    async with watched(chromium, served, scheme="dark") as watch:
        body = watch.page.locator("body")
        await watch.open("index.html")
        await expect(body).to_have_attribute("data-md-color-scheme", SCHEMES["dark"])
        await watch.page.get_by_title("Light").click()
        await expect(body).to_have_attribute("data-md-color-scheme", SCHEMES["light"])
        await watch.open("deployment.html")
        await expect(body).to_have_attribute("data-md-color-scheme", SCHEMES["light"])
        await watch.page.get_by_title("Dark").click()
        await expect(body).to_have_attribute("data-md-color-scheme", SCHEMES["dark"])
        assert watch.faults() == []
