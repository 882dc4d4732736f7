"""The built site in Chromium, under a prefix and from a folder."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.integration.site.look import LAYOUT, SCHEMES, WIDTHS, faults_of, watched
from tests.integration.site.reading import pages


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_every_page_is_whole_readable_and_accessible(
    scheme: str, chromium: Browser, site: Path, served: str
) -> None:
    found = []
    async with watched(chromium, served, scheme=scheme) as watch:
        for name in pages(site):
            await watch.open(name)
            for width in WIDTHS:
                faults = await faults_of(watch, scheme, width)
                found += [f"{name}, {scheme}, {width} px: {fault}" for fault in faults]
    assert found == []


async def test_every_page_works_from_a_folder(chromium: Browser, site: Path) -> None:
    found = []
    async with watched(chromium, f"{site.as_uri()}/", width=390) as watch:
        for name in pages(site):
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


@pytest.mark.parametrize("place", ["server", "folder"])
async def test_search_finds_a_setting_by_its_words(
    place: str, chromium: Browser, site: Path, served: str
) -> None:
    address = served if place == "server" else f"{site.as_uri()}/"
    with_it = {
        name
        for name, page in pages(site).items()
        if any("ARQ_QUEUE_NAME" in words for _, words in page.blocks)
    }
    async with watched(chromium, address) as watch:
        page = watch.page
        await watch.open("index.html")
        await page.get_by_placeholder("Search").press_sequentially("queue name")
        results = page.locator(".md-search-result__link")
        await expect(results.first).to_be_visible()
        links = await results.evaluate_all("links => links.map((link) => link.href)")
        there = [
            link for link in links if re.split("[?#]", link.removeprefix(address))[0] in with_it
        ]
        assert there, links
        await results.nth(links.index(there[0])).click()
        await page.wait_for_url(there[0])
        await expect(page.locator("article").get_by_text("ARQ_QUEUE_NAME").first).to_be_visible()
        assert watch.faults() == []


async def test_a_reader_chooses_light_or_dark_and_it_stays(chromium: Browser, served: str) -> None:
    async with watched(chromium, served) as watch:
        body = watch.page.locator("body")
        await watch.open("index.html")
        await expect(body).to_have_attribute("data-md-color-scheme", "default")
        await watch.page.get_by_title("Dark").click()
        await expect(body).to_have_attribute("data-md-color-scheme", "slate")
        await watch.open("deployment.html")
        await expect(body).to_have_attribute("data-md-color-scheme", "slate")
        await watch.page.get_by_title("Light").click()
        await expect(body).to_have_attribute("data-md-color-scheme", "default")
        assert watch.faults() == []
