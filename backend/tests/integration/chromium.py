"""A browser for the tests of pages."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from harness.chromium import NoChromium, launch


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        try:
            browser = await launch(playwright)
        except NoChromium as problem:
            pytest.skip(str(problem))
        yield browser
        await browser.close()
